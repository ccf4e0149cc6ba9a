import type { Clock, FunctionFact, ResolvedEndpointConfig } from '@flash/protocol'
import type { Exit, Launched } from './launch.ts'
import { createLink, type WorkerLink } from './link.ts'

/** What running a function takes to know about it. */
export type LocalFunction = Pick<FunctionFact, 'id' | 'kind' | 'callables' | 'setup' | 'hasInput'>

export interface EndpointSettings {
  name: string
  config: Pick<ResolvedEndpointConfig, 'executionTimeoutMs' | 'maxConcurrency' | 'instances' | 'dev'>
  /** All variables of a worker. */
  env: Record<string, string>
  /** Variables of `.env` files that `env` does not name. */
  unnamed: string[]
}

/** What the workers of an endpoint need of the host around it. */
export interface WorkerContext {
  clock: Clock
  root: string
  launch(env: Record<string, string>): Launched
  /** Answers what a worker asks. */
  answer(question: string, data: unknown[]): Promise<unknown>
  /** Why a worker ended before it was ready, when the host knows better than its exit code. */
  explainExit?(exit: Exit): Error | undefined
  /** Lines a worker wrote while no call ran, and those of calls. */
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
}

/** The same for an endpoint that runs `F`. */
export interface EndpointContext<F> extends WorkerContext {
  /** What a worker's loader is asked for to get a function. */
  moduleOf(fact: F): string
}

/** Starts a worker of an endpoint. */
export function launchWorker(
  id: string,
  { name, env, unnamed }: EndpointSettings,
  context: WorkerContext,
  listener: { onFree(): void; onExit(link: WorkerLink): void },
): WorkerLink {
  return createLink({
    id,
    launched: context.launch(env),
    root: context.root,
    endpoint: name,
    unnamed,
    clock: context.clock,
    answer: context.answer,
    explainExit: context.explainExit,
    onOutput: (stream, text) => context.onOutput(name, stream, text),
    ...listener,
  })
}
