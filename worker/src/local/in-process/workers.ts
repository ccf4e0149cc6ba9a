import type { FunctionFact } from '@flash/protocol'
import { createWorker, type Worker } from '../../execute/worker.ts'

export interface Workers {
  /** What is known of a function; before it is called. */
  note(fact: Pick<FunctionFact, 'id' | 'setup'>): void
  /** Each endpoint has one that keeps its states and instances. */
  of(endpoint: string): Worker
}

/** The workers of a process that is all of them. */
export function createWorkers(): Workers {
  const workers = new Map<string, Worker>()
  const places = createPlaces()
  return {
    note: ({ id, setup }) => places.note(id, setup),
    of(endpoint) {
      const worker =
        workers.get(endpoint) ??
        createWorker({
          endpoint,
          write: (stream, text) => void process[stream].write(text),
          setupPlace: places.of,
        })
      workers.set(endpoint, worker)
      return worker
    },
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
