import type { Exit } from '../local/launch.ts'
import type { LaunchedWorker } from './launcher.ts'
import { createLines, type WorkerLines } from './lines.ts'

/** A worker that did start. */
export interface Started {
  /** Of a balanced worker, and where its health is asked for. */
  address: string | null
  healthAddress: string | null
  exited: Promise<Exit>
  end(graceMs: number): Promise<void>
}

/**
 * Holds a worker while it is being started, and after.
 *
 * - `begin` rejects with what to tell when there is no worker; the signal says that nobody wants it any more.
 */
export function launch(begin: (lines: WorkerLines, signal: AbortSignal) => Promise<Started>): LaunchedWorker {
  const lines = createLines()
  const stopping = new AbortController()
  const started = begin(lines, stopping.signal)
  const exited = started.then(
    (worker) => worker.exited,
    ({ message, hint }: Error & { hint?: string }): Exit => {
      lines.system(hint ? `${message}; ${hint}` : message)
      return { code: null, signal: null, reason: message }
    },
  )
  // Who only waits for the end need not hear twice that there was no start.
  const address = started.then((worker) => worker.address)
  const healthAddress = started.then((worker) => worker.healthAddress)
  address.catch(() => {})
  healthAddress.catch(() => {})
  return {
    address,
    healthAddress,
    onLine: lines.onLine,
    exited,
    async stop(graceMs) {
      stopping.abort()
      const worker = await started.catch(() => null)
      await worker?.end(graceMs)
    },
  }
}

/** Between two steps of a start. */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new Error('the worker was stopped before it was started')
}
