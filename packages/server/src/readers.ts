import type { Clock } from '@flash/protocol'
import type { RpcJob } from './backend.ts'

/** One connection that reads a job. */
export interface Reader {
  /** It is gone before the job ended; `readMs` is how long it was sent something, `null` when nothing was. */
  leave(readMs: number | null): void
  /** The job ended, and nobody has to come back for it. */
  done(): void
}

/** Who reads which job. */
export interface Readers {
  /** The first reader of a job that is wanted only as long as somebody reads it. */
  begin(job: RpcJob): Reader
  /** A further one, also of a job that lives on its own. */
  join(job: RpcJob): Reader
  /** Nobody has to be waited for any more. */
  forget(job: RpcJob): void
}

interface Entry {
  readers: number
  withdraw: () => void
}

const EARLY_MS = 1_000
const EARLY_PATIENCE_MS = 3_000

/** A job that lost its last reader is cancelled, unless one comes back within `waitMs`. */
export function createReaders(clock: Clock, waitMs: number): Readers {
  const entries = new Map<string, Entry>()
  const keyOf = (job: RpcJob) => `${job.endpoint}/${job.id}`
  const forget = (job: RpcJob) => {
    entries.get(keyOf(job))?.withdraw()
    entries.delete(keyOf(job))
  }
  const cancel = (job: RpcJob) => {
    forget(job)
    // Nobody is left who could be told that it failed.
    Promise.resolve(job.cancel('the caller left')).catch(() => {})
  }
  const enter = (job: RpcJob, entry: Entry): Reader => {
    entry.readers++
    entry.withdraw()
    return {
      leave(readMs) {
        if (--entry.readers > 0 || entries.get(keyOf(job)) !== entry) return
        // Nobody has the token yet, so nobody can come back for the answer.
        if (readMs === null) return cancel(job)
        // A caller that aborts while its first answer is on the way never sees the token that cancels.
        const patienceMs = readMs < EARLY_MS ? Math.min(waitMs, EARLY_PATIENCE_MS) : waitMs
        entry.withdraw = clock.after(patienceMs, () => cancel(job))
      },
      done: () => forget(job),
    }
  }
  return {
    begin(job) {
      const entry: Entry = { readers: 0, withdraw: () => {} }
      entries.set(keyOf(job), entry)
      return enter(job, entry)
    },
    join(job) {
      const entry = entries.get(keyOf(job))
      return entry ? enter(job, entry) : { leave() {}, done() {} }
    },
    forget,
  }
}
