import type {
  Endpoints,
  EndpointSpec,
  LogLine,
  RunningEndpoint,
  WorkerLog,
  WorkerView,
} from '../../endpoints/types.ts'

/** Endpoints that only note what they are told; workers and logs are what the test puts there. */
export interface FakeEndpoints extends Endpoints {
  /** Each save, in its order. */
  saved: EndpointSpec[]
  removed: string[]
  /** The newest save of an endpoint. */
  spec(id: string): EndpointSpec
  place(endpointId: string, worker: WorkerView): void
  print(endpointId: string, workerId: string, text: string, source?: LogLine['source']): void
  /** Lines of a worker are no longer kept. */
  forget(workerId: string): void
  /** How many readers a worker's log has. */
  readers(workerId: string): number
}

interface FakeLog extends WorkerLog {
  kept: LogLine[]
  listeners: Set<(line: LogLine) => void>
}

export function createFakeEndpoints(now: () => number): FakeEndpoints {
  const saved: EndpointSpec[] = []
  const removed: string[] = []
  const specs = new Map<string, EndpointSpec>()
  const workers = new Map<string, WorkerView[]>()
  const logs = new Map<string, FakeLog>()
  const toRunning = (id: string): RunningEndpoint | undefined =>
    specs.has(id)
      ? ({
          spec: specs.get(id)!,
          workers: () => workers.get(id) ?? [],
          log: (workerId: string) => logs.get(`${id}/${workerId}`),
        } as unknown as RunningEndpoint)
      : undefined
  const openLog = (key: string): FakeLog => {
    const log = logs.get(key) ?? createFakeLog()
    logs.set(key, log)
    return log
  }
  const logOf = (workerId: string) => [...logs].find(([key]) => key.endsWith(`/${workerId}`))
  return {
    saved,
    removed,
    spec: (id) => specs.get(id)!,
    save(spec) {
      saved.push(spec)
      specs.set(spec.id, spec)
    },
    async remove(id) {
      removed.push(id)
      specs.delete(id)
    },
    get: toRunning,
    list: () => [...specs.keys()].map((id) => toRunning(id)!),
    async close() {},
    place(endpointId, worker) {
      workers.set(endpointId, [...(workers.get(endpointId) ?? []), worker])
      openLog(`${endpointId}/${worker.id}`)
    },
    print(endpointId, workerId, text, source = 'container') {
      const log = openLog(`${endpointId}/${workerId}`)
      const line = { source, line: text, at: now(), index: log.kept.length }
      log.kept.push(line)
      for (const listener of log.listeners) listener(line)
    },
    forget: (workerId) => void logs.delete(logOf(workerId)![0]),
    readers: (workerId) => logOf(workerId)?.[1].listeners.size ?? 0,
  }
}

function createFakeLog(): FakeLog {
  const kept: LogLine[] = []
  const listeners = new Set<(line: LogLine) => void>()
  return {
    kept,
    listeners,
    lines: () => kept,
    onLine(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
