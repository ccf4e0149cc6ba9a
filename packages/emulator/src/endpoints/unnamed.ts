import { failureText } from '../queue/failure.ts'
import { type EndpointState, tell, workerTime } from './state.ts'
import { silentMs } from './timings.ts'
import type { Worker } from './worker.ts'

/**
 * Takes from a worker the jobs that it has not named for as long as a silent one is waited for: it was started anew under
 * its id, or the answer that gave them to it was lost on its way.
 */
export function loseUnnamed(state: EndpointState, worker: Worker, named: ReadonlySet<string>): void {
  const { queue, shared, spec } = state
  const now = workerTime(shared)
  const held = queue.heldJobs(worker.id)
  const unnamed = held.filter((id) => !named.has(id))
  worker.unnamed = new Map(unnamed.map((id) => [id, worker.unnamed.get(id) ?? now]))
  const limitMs = silentMs(shared.timings)
  const lost = unnamed.filter((id) => now - worker.unnamed.get(id)! > limitMs)
  if (lost.length === 0) return
  const seconds = limitMs / 1_000
  for (const id of lost) {
    worker.unnamed.delete(id)
    tell(state, worker, `worker has named job ${id} no more for ${seconds} s: the job waits again`)
  }
  const error = failureText(
    'WORKER_LOST',
    `worker ${worker.id} of "${spec.name}" did not name the job in its pings for ${seconds} s`,
    'look at the log of the worker: it may have been started anew while it had the job',
  )
  queue.workerLost(worker.id, { jobs: lost, error })
}
