import { type FunctionFact, type InputShape, inputShape } from '@flash/protocol'
import type { Callee } from '../../execute/call.ts'
import type { Definition } from '../../execute/definition.ts'
import { createWorker, type Worker } from '../../execute/worker.ts'

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
  const workers = new Map<string, Worker>()
  const places = createPlaces()
  const workerOf = ({ endpoint }: FunctionFact, instanceLimit: number | undefined) => {
    const worker =
      workers.get(endpoint) ??
      createWorker({
        endpoint,
        write: (stream, text) => void process[stream].write(text),
        setupPlace: places.of,
      })
    workers.set(endpoint, worker)
    if (instanceLimit !== undefined) worker.instanceLimit = instanceLimit
    return worker
  }
  return {
    add(definition, fact) {
      const { instances, executionTimeoutMs = EXECUTION_TIMEOUT_MS } = definition.config
      places.note(fact.id, fact.setup)
      functions.set(fact.id, {
        id: fact.id,
        definition,
        shape: inputShape(fact),
        worker: workerOf(fact, instances),
        executionTimeoutMs,
      })
    },
    get: (id) => functions.get(id),
  }
}

/** A module that is loaded again has another `setup` function, and its state is made again. */
function createPlaces() {
  const slots = new Map<string, string | null>()
  const versions = new WeakMap<() => unknown, string>()
  let last = 0
  return {
    note: (id: string, slot: string | null) => void slots.set(id, slot),
    of(id: string, setup: () => unknown) {
      const version = versions.get(setup) ?? String(++last)
      versions.set(setup, version)
      return { slot: slots.get(id) ?? `${id}.setup`, version: () => version }
    },
  }
}
