import { describeFault } from '../balanced/fault.ts'
import type { Visit } from '../balanced/visit.ts'
import type { Worker } from '../execute/worker.ts'
import { isWorkersFault } from './failure.ts'

/** Tells the log of the worker what went wrong at a request that somebody waits for, unless it is about the request. */
export function reportFailure(worker: Worker, visit: Visit, error: unknown): void {
  if (!visit.isOver && isWorkersFault(error)) worker.write('stderr', describeFault(visit, error))
}
