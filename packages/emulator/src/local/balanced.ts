import type { ServedFunction } from '@flash/protocol'
import type { EndpointContext, EndpointSettings } from './context.ts'
import { countWorkers } from './crew.ts'
import { close, createServers, type LocalSeat, retire, seat } from './servers.ts'

/** What answering with it takes to know about a route or a web app. */
export type BalancedFunction = Omit<ServedFunction, 'module'>

/** One load-balanced endpoint on this machine: its workers, started when the first request comes. */
export interface LocalBalanced<F extends BalancedFunction = BalancedFunction> {
  readonly name: string
  /**
   * A worker for one request, the least busy one.
   *
   * - throws `NO_WORKERS` after 2 minutes, the signal's reason, and at once what the worker's own code failed with: `MODULE_FAILED`,
   *   `SETUP_FAILED`, `WORKER_CRASHED`, …; the next request tries again.
   */
  seat(request: { signal: AbortSignal }): Promise<LocalSeat>
  /** What it answers; workers learn it before the next request. */
  serve(functions: readonly F[]): void
  configure(settings: EndpointSettings): void
  /** Fresh workers from the next request on; requests in flight finish on the old ones. */
  retire(): void
  /** Absolute files that changed: workers load them again. */
  invalidate(files: string[]): void
  workers(): { idle: number; ready: number; running: number }
  close(): void
}

export function createBalancedEndpoint<F extends BalancedFunction>(
  first: EndpointSettings,
  context: EndpointContext<F>,
): LocalBalanced<F> {
  const state = createServers(first, context)
  return {
    name: first.name,
    seat: ({ signal }) => seat(state, signal),
    serve(facts) {
      const functions = facts.map((fact) => toServed(fact, context.moduleOf(fact)))
      const text = JSON.stringify(functions)
      if (text === state.text) return
      state.text = text
      state.functions = functions
    },
    configure(next) {
      const before = state.settings
      state.settings = next
      // A running process keeps the variables it was started with.
      if (JSON.stringify(next.env) !== JSON.stringify(before.env)) retire(state)
    },
    retire: () => retire(state),
    invalidate(files) {
      for (const link of state.crew.links()) link.invalidate(files)
    },
    workers: () => countWorkers(state.crew.links()),
    close: () => close(state),
  }
}

function toServed({ id, exportPath, kind, route, setup }: BalancedFunction, module: string): ServedFunction {
  return { id, exportPath, kind, route, setup, module }
}
