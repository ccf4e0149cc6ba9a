import { createTestClock } from '@flash/protocol'
import { createFaults } from '../faults.ts'
import type { LaunchedWorker, Launcher, WorkerLine, WorkerOrder } from '../launchers/launcher.ts'
import type { Exit } from '../local/index.ts'
import type { Job } from '../queue/index.ts'
import { createEndpoints, type EndpointsOptions } from './endpoints.ts'
import type { EndpointSpec, RunningEndpoint } from './types.ts'

/** A worker that was ordered, played by the test. */
export interface FakeWorker {
  order: WorkerOrder
  id: string
  /** The grace of each stop it was told. */
  stopped: number[]
  print(text: string, source?: WorkerLine['source']): void
  end(exit?: Partial<Exit>): Promise<void>
  listen(url: string | null, healthUrl?: string): Promise<void>
  cannotListen(reason: string): Promise<void>
}

export interface FakeLauncher extends Launcher {
  started: FakeWorker[]
  /** Of the workers that still run. */
  running(): FakeWorker[]
}

/** Later than everything that was promised so far. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Orders are only noted; a worker that is told to stop ends unless `deaf`. */
export function createFakeLauncher(options: { name?: Launcher['name']; deaf?: boolean } = {}): FakeLauncher {
  const started: FakeWorker[] = []
  const ended = new Set<FakeWorker>()
  return {
    name: options.name ?? 'process',
    started,
    running: () => started.filter((worker) => !ended.has(worker)),
    start: (order) => startFake(order, { started, ended, deaf: options.deaf === true }),
    reachable: (url) => url,
    async close() {},
  }
}

function openPromise<T>() {
  let resolve = (_value: T) => {}
  let reject = (_error: Error) => {}
  const promise = new Promise<T>((keep, fail) => {
    resolve = keep
    reject = fail
  })
  return { promise, resolve, reject }
}

function startFake(
  order: WorkerOrder,
  { started, ended, deaf }: { started: FakeWorker[]; ended: Set<FakeWorker>; deaf: boolean },
): LaunchedWorker {
  const listeners: ((line: WorkerLine) => void)[] = []
  const exited = openPromise<Exit>()
  const address = openPromise<string | null>()
  const health = openPromise<string | null>()
  address.promise.catch(() => {})
  if (order.kind === 'queue') address.resolve(null)
  const worker: FakeWorker = {
    order,
    id: order.workerId,
    stopped: [],
    print(text, source = 'container') {
      for (const listener of listeners) listener({ source, text })
    },
    end(exit = {}) {
      ended.add(worker)
      exited.resolve({ code: 0, signal: null, ...exit })
      return turn()
    },
    listen(url, healthUrl) {
      address.resolve(url)
      health.resolve(healthUrl ?? url)
      return turn()
    },
    cannotListen(reason) {
      address.reject(new Error(reason))
      return turn()
    },
  }
  started.push(worker)
  return {
    address: address.promise,
    healthAddress: health.promise,
    onLine: (listener) => void listeners.push(listener),
    exited: exited.promise,
    async stop(graceMs) {
      worker.stopped.push(graceMs)
      if (!deaf) await worker.end(graceMs > 0 ? {} : { code: null, signal: 'SIGKILL' })
      await exited.promise
    },
  }
}

export const baseSpec: EndpointSpec = {
  id: 'ep1',
  name: 'echo',
  kind: 'queue',
  version: 1,
  image: 'me/echo:1',
  args: '',
  env: { A: '1', RUNPOD_ENDPOINT_ID: 'of-the-template' },
  mounts: [],
  workersMin: 0,
  workersMax: 3,
  workersStandby: 0,
  idleTimeoutSeconds: 5,
  executionTimeoutMs: 60_000,
  scaling: { by: 'queueDelay', seconds: 4 },
  gpuTypeId: null,
  gpuCount: 0,
  dataCenterId: 'EU-RO-1',
  environmentId: null,
}

/** One endpoint `echo`, its workers played by the test, its time moved by hand. */
export async function setUp(
  spec: Partial<EndpointSpec> = {},
  options: Partial<EndpointsOptions> & { launcher?: FakeLauncher } = {},
) {
  const clock = createTestClock()
  const faults = createFaults()
  const launcher = options.launcher ?? createFakeLauncher()
  const workerEnv = (one: EndpointSpec, workerId: string) => ({
    RUNPOD_ENDPOINT_ID: one.id,
    RUNPOD_POD_ID: workerId,
  })
  const endpoints = createEndpoints({ clock, faults, workerEnv, ...options, launcher })
  const save = async (more: Partial<EndpointSpec> = {}) => {
    endpoints.save({ ...baseSpec, ...spec, ...more })
    await turn()
  }
  await save()
  const endpoint = endpoints.get(spec.id ?? 'ep1')!
  /** Lets time pass a second at a time, with turns in between as in life. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000)
      await turn()
    }
  }
  const submit = async (input: unknown = {}, lowPriority = false) => {
    const { id } = endpoint.queue.submit({ input, policy: { lowPriority } })
    await turn()
    return id
  }
  const states = () => endpoint.workers().map((worker) => worker.state)
  const story = (id: string) =>
    endpoint
      .log(id)!
      .lines()
      .map((line) => line.line)
  return { clock, faults, launcher, endpoints, endpoint, save, pass, submit, states, story }
}

/** A take as the worker plane makes it. */
export function takeFrom(
  endpoint: RunningEndpoint,
  workerId: string,
  how: { count?: number; holdMs?: number; signal?: AbortSignal } = {},
): Promise<Job[]> {
  const { count = 1, holdMs = 20_000, signal = new AbortController().signal } = how
  return endpoint.take(workerId, { count, holdMs, signal })
}
