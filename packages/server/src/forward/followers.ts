import { type Clock, type JobStatus, type Message, queueLimits } from '@flash/protocol'
import { forgetOldest } from '../forget-oldest.ts'
import { createFollower, type Follower, type FollowerOptions } from './follower.ts'
import { errorMessage } from '../messages.ts'
import { streamLost } from './transcript.ts'

/** The jobs that somebody listens to, or may come back to. */
export interface Followers {
  /** One follower a job, whoever listens; `options` and what the queue said `first` make it when there is none. */
  listen(
    options: FollowerOptions,
    from: number,
    say: (message: Message) => void,
    first?: JobStatus,
  ): () => void
}

/** Items of jobs that nobody listens to; the queue has given them away, so only readers of this process can have them. */
const idleBytes = 64 * 1024 * 1024

/** A page that lost its connection comes back within this time. */
const attachedMs = 120_000

const sweepMs = 10_000

/** Streams that were let go of: they cannot be begun again, and must not seem to be shorter than they were. */
const rememberedKeys = 10_000

interface Entry {
  follower: Follower
  idleSince: number
  keptMs: number
}

/** - `idleLimitBytes`: 64 MiB when omitted. */
export function createFollowers(clock: Clock, idleLimitBytes = idleBytes): Followers {
  const entries = new Map<string, Entry>()
  const evicted = new Set<string>()
  let sweptAt = clock.now()
  const sweep = () => {
    const now = clock.now()
    const idle = [...entries].filter(([, { follower }]) => follower.isIdle())
    let bytes = idle.reduce((sum, [, { follower }]) => sum + follower.bytes(), 0)
    for (const [key, { follower, idleSince, keptMs }] of idle.sort(
      ([, a], [, b]) => a.idleSince - b.idleSince,
    )) {
      if (now - idleSince < keptMs && bytes <= idleLimitBytes) continue
      bytes -= follower.bytes()
      entries.delete(key)
      evicted.add(key)
      forgetOldest(evicted, rememberedKeys)
    }
    sweptAt = now
  }
  const rest = (key: string, entry: Entry) => {
    if (!entry.follower.isIdle()) return
    entry.idleSince = clock.now()
    // What the queue still has is asked for again.
    if (entry.follower.isReplaceable()) entries.delete(key)
    else if (entry.idleSince - sweptAt >= sweepMs || entry.follower.bytes() > idleLimitBytes / 8) sweep()
  }
  const open = (key: string, options: FollowerOptions, first: JobStatus | undefined): Entry => {
    const known = entries.get(key)
    if (known) return known
    const entry: Entry = {
      follower: createFollower(options, first, () => rest(key, entry)),
      idleSince: clock.now(),
      keptMs: options.attached ? attachedMs : queueLimits.keepRunMs,
    }
    entries.set(key, entry)
    return entry
  }
  return {
    listen(options, from, say, first) {
      const key = `${options.endpoint}/${options.jobId}`
      if (!evicted.has(key)) return open(key, options, first).follower.listen(from, say)
      say(errorMessage(streamLost(options.endpoint, from)))
      return () => {}
    },
  }
}
