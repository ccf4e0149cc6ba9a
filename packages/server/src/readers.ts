import type { Clock } from '@flash/protocol'
import type { RpcJob } from './backend.ts'

/** One connection that reads a job. */
export interface Reader {
  /** It is gone before the job ended; `readMs` is how long it was sent something, `null` when nothing was, or nobody comes back. */
  leave(readMs: number | null): void
  /** The job ended, and nobody has to come back for it. */
  done(): void
}

/** Who reads which job. */
export interface Readers {
  /** The first reader of a call, whose job is wanted only as long as somebody reads it; `token` is what the caller gets. */
  begin(job: RpcJob, token: string): Reader
  /** A further one, also of a job that lives on its own. */
  join(job: RpcJob): Reader
  /** The job lives on its own, also when it is one of calls that have readers. */
  keep(job: RpcJob): void
  /** The caller with this token does not want the job any more; whether nobody does. */
  giveUp(job: RpcJob, token: string): boolean
}

type JobName = Pick<RpcJob, 'endpoint' | 'id'>

interface Entry {
  readers: number
  /** Whether the call with this token is still wanted. */
  calls: Map<string, boolean>
  isKept: boolean
  /** Until when one that left may come back. */
  until: number
  withdraw: () => void
}

/** Browsers go on reading for 5 s what nobody wants any more, in the hope of keeping the connection. */
const EARLY_MS = 6_000
const EARLY_PATIENCE_MS = 3_000

/** Timers of Node end at once when they are longer. */
export const LONGEST_TIMER_MS = 2_147_483_647

/** A job that lost its last reader is cancelled, unless one comes back within `waitMs`. */
export function createReaders(clock: Clock, waitMs: number): Readers {
  const entries = createEntries()
  const cancel = (job: RpcJob) => {
    entries.forget(job)
    // Nobody is left who could be told that it failed.
    Promise.resolve(job.cancel('the caller left')).catch(() => {})
  }
  const enter = (job: RpcJob, entry: Entry): Reader => {
    entry.readers++
    if (!entry.isKept) entry.withdraw()
    return {
      leave(readMs) {
        entry.readers--
        entry.until = Math.max(entry.until, clock.now() + patienceMs(readMs, waitMs))
        if (entry.isKept || entry.readers > 0 || entries.get(job) !== entry) return
        const leftMs = entry.until - clock.now()
        if (leftMs <= 0) cancel(job)
        else entry.withdraw = clock.after(leftMs, () => cancel(job))
      },
      done: () => entries.forget(job),
    }
  }
  return {
    begin(job, token) {
      const entry = entries.open(job)
      entry.calls.set(token, true)
      return enter(job, entry)
    },
    join(job) {
      const entry = entries.get(job)
      return entry ? enter(job, entry) : { leave() {}, done() {} }
    },
    keep(job) {
      const entry = entries.open(job)
      entry.withdraw()
      entry.isKept = true
      const leftMs = Math.min(job.deadline - clock.now(), LONGEST_TIMER_MS)
      // Named, so that the wait does not hold the job, which may hold its result.
      const name = { endpoint: job.endpoint, id: job.id }
      entry.withdraw = clock.after(leftMs, () => entries.forget(name))
    },
    giveUp(job, token) {
      const isWanted = isWantedWithout(entries.get(job), token)
      if (!isWanted) entries.forget(job)
      return !isWanted
    },
  }
}

function createEntries() {
  const entries = new Map<string, Entry>()
  const keyOf = ({ endpoint, id }: JobName) => `${endpoint}/${id}`
  return {
    get: (job: JobName) => entries.get(keyOf(job)),
    open(job: JobName): Entry {
      const known = entries.get(keyOf(job))
      const entry = known ?? { readers: 0, calls: new Map(), isKept: false, until: 0, withdraw: () => {} }
      entries.set(keyOf(job), entry)
      return entry
    },
    forget(job: JobName) {
      entries.get(keyOf(job))?.withdraw()
      entries.delete(keyOf(job))
    },
  }
}

/** Whether anybody wants the job besides the caller with this token. */
function isWantedWithout(entry: Entry | undefined, token: string): boolean {
  // Such a token is of `.run()`, or of a call that another process answers.
  if (!entry?.calls.has(token)) return false
  entry.calls.set(token, false)
  return entry.isKept || [...entry.calls.values()].includes(true)
}

/** How long one that left is waited for. */
function patienceMs(readMs: number | null, waitMs: number): number {
  // Nobody has the token yet, so nobody can come back for the answer.
  if (readMs === null) return 0
  // A caller that aborts while its first answer is on the way never sees the token that cancels.
  return readMs < EARLY_MS ? Math.min(waitMs, EARLY_PATIENCE_MS) : waitMs
}
