import { type FunctionFact, type InputShape, inputShape } from '@flash/protocol'
import type { Callee } from '../../execute/call.ts'
import type { Definition } from '../../execute/definition.ts'
import type { Worker } from '../../execute/worker.ts'
import { createWorkers } from './workers.ts'

/** A function of a module that the test process has loaded. */
export interface LocalFunction extends Callee {
  shape: InputShape
  worker: Worker
  executionTimeoutMs: number
}

const EXECUTION_TIMEOUT_MS = 600_000

export interface LocalFunctions {
  add(definition: Definition, fact: FunctionFact): void
  get(id: string): LocalFunction | undefined
}

/** All functions of this process; each endpoint has a worker that keeps its states and instances. */
export function createFunctions(): LocalFunctions {
  const functions = new Map<string, LocalFunction>()
  const workers = createWorkers()
  return {
    add(definition, fact) {
      const { instances, executionTimeoutMs = EXECUTION_TIMEOUT_MS } = definition.config
      workers.note(fact)
      const worker = workers.of(fact.endpoint)
      if (instances !== undefined) worker.instanceLimit = instances
      functions.set(fact.id, {
        id: fact.id,
        definition,
        shape: inputShape(fact),
        worker,
        executionTimeoutMs,
      })
    },
    get: (id) => functions.get(id),
  }
}
