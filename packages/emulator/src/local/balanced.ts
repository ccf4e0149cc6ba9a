import type { FunctionFact, ServedFunction } from '@flash/protocol'
import type { EndpointContext, EndpointSettings } from './context.ts'
import { countWorkers } from './crew.ts'
import type { LocalSeat } from './local-seat.ts'
import { close, createServers, invalidate, retire, seat } from './servers.ts'

/** What answering with it takes to know about a route or a web app. */
export type BalancedFunction = Omit<ServedFunction, 'module'> & Pick<FunctionFact, 'path'>

/** One load-balanced endpoint on this machine: its workers, started when the first request comes. */
export interface LocalBalanced<F extends BalancedFunction = BalancedFunction> {
  readonly name: string
  /**
   * A worker for one request, the least busy one.
   *
   * - throws `NO_WORKERS` after 2 minutes, or `MODULE_FAILED` when its code is still being loaded then; the signal's reason; and at
   *   once what the worker's own code failed with: `MODULE_FAILED`, `SETUP_FAILED`, `WORKER_CRASHED`, …; the next request tries again.
   */
  seat(request: { signal: AbortSignal }): Promise<LocalSeat>
  /** What it answers, whose facts never change; workers learn it before the next request. */
  serve(functions: readonly F[]): void
  configure(settings: EndpointSettings): void
  /** Fresh workers from the next request on; requests in flight finish on the old ones. */
  retire(): void
  /** Absolute files that changed: workers load them again, and one that is not done with loading them is replaced. */
  invalidate(files: string[]): void
  workers(): { idle: number; ready: number; running: number }
  close(): void
}

export function createBalancedEndpoint<F extends BalancedFunction>(
  first: EndpointSettings,
  context: EndpointContext<F>,
): LocalBalanced<F> {
  const state = createServers(first, context)
  let known: readonly F[] = []
  return {
    name: first.name,
    seat: ({ signal }) => seat(state, signal),
    serve(facts) {
      if (isSame(facts, known)) return
      known = facts
      const functions = facts.map((fact) => toServed(fact, context.moduleOf(fact)))
      const text = JSON.stringify(functions)
      if (text === state.text) return
      state.text = text
      state.functions = functions
      state.sources = [...new Set(facts.map(({ path }) => path))]
    },
    configure(next) {
      const before = state.settings
      state.settings = next
      // A running process keeps the variables it was started with.
      if (JSON.stringify(next.env) !== JSON.stringify(before.env)) retire(state)
    },
    retire: () => retire(state),
    invalidate: (files) => invalidate(state, files),
    workers: () => countWorkers(state.crew.links()),
    close: () => close(state),
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((fact, at) => fact === other[at])
}

function toServed({ id, exportPath, kind, route, setup }: BalancedFunction, module: string): ServedFunction {
  return { id, exportPath, kind, route, setup, module }
}
