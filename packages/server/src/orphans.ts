import type { Clock } from '@flash/protocol'
import type { RpcJob } from './rpc.ts'

/** Jobs whose reader is gone; each is cancelled unless somebody comes back for it in time. */
export interface Orphans {
  add(job: RpcJob): void
  /** True when the job was waiting for its reader. */
  remove(job: RpcJob): boolean
}

export function createOrphans(clock: Clock, waitMs: number): Orphans {
  const waiting = new Map<string, () => void>()
  const key = (job: RpcJob) => `${job.endpoint}/${job.id}`
  return {
    add(job) {
      waiting.get(key(job))?.()
      const withdraw = clock.after(waitMs, () => {
        waiting.delete(key(job))
        job.cancel('the caller left')
      })
      waiting.set(key(job), withdraw)
    },
    remove(job) {
      waiting.get(key(job))?.()
      return waiting.delete(key(job))
    },
  }
}
