import type { Exit } from '../local/launch.ts'
import type { Launcher } from './launcher.ts'
import { createLines } from './lines.ts'

/**
 * Starts nothing: somebody runs the worker by hand, with the variables that its line names the command for.
 *
 * A worker on a queue becomes known when it asks for jobs; where a balanced one answers has to be announced.
 */
export function createExternalLauncher(): Launcher {
  const stops = new Set<() => void>()
  return {
    name: 'external',
    start({ endpoint, endpointId, kind }) {
      const lines = createLines()
      lines.system(
        `endpoint "${endpoint}" waits for a worker that is started by hand; its variables: flash emulator --env --endpoint ${endpointId}`,
      )
      let stop = () => {}
      const exited = new Promise<Exit>((resolve) => {
        stop = () => resolve({ code: 0, signal: null })
      })
      stops.add(stop)
      void exited.then(() => stops.delete(stop))
      const address = kind === 'queue' ? Promise.resolve(null) : exited.then(neverStarted)
      address.catch(() => {})
      return { address, onLine: lines.onLine, exited, stop: async () => stop() }
    },
    reachable: (url) => url,
    async close() {
      for (const stop of stops) stop()
    },
  }
}

function neverStarted(): never {
  throw new Error('the worker was stopped before somebody started and announced it')
}
