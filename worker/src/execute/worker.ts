import { type Clock, systemClock } from '@flash/protocol'
import { contextStorage, type FunctionContext } from './context.ts'
import { createInstances, type Instances } from './class.ts'
import { createSetups, type Setups } from './setup.ts'

/** Where the state of a function's `setup` is kept, and what stands for its code. */
export interface SetupPlace {
  slot: string
  version(): string | Promise<string>
}

/** What all calls of one worker share: states, instances, and where words go that belong to no call. */
export interface Worker {
  endpoint: string
  setups: Setups
  instances: Instances
  /** Constructor arguments of one class for which instances are kept. */
  instanceLimit: number
  write(stream: 'stdout' | 'stderr', text: string): void
  setupPlace(id: string, setup: () => unknown): SetupPlace
  /** Something went wrong that no call is answered with. */
  report(error: unknown): void
  close(): Promise<void>
}

export interface WorkerOptions {
  endpoint: string
  clock?: Clock
  instanceLimit?: number
  write: Worker['write']
  setupPlace?: Worker['setupPlace']
}

export function createWorker(options: WorkerOptions): Worker {
  const { inspect } = process.getBuiltinModule('node:util')
  const report = (error: unknown) => options.write('stderr', `${inspect(error)}\n`)
  const setups = createSetups({ clock: options.clock ?? systemClock, report })
  const instances = createInstances(report)
  return {
    endpoint: options.endpoint,
    setups,
    instances,
    report,
    instanceLimit: options.instanceLimit ?? 16,
    write: options.write,
    setupPlace: options.setupPlace ?? createPlaces(),
    async close() {
      await Promise.all([setups.close(), instances.close()])
    },
  }
}

/** Places for a process whose code never changes: functions with the same `setup` share its state. */
function createPlaces(): Worker['setupPlace'] {
  const slots = new Map<unknown, string>()
  return (id, setup) => {
    const slot = slots.get(setup) ?? `${id}.setup`
    slots.set(setup, slot)
    return { slot, version: () => '' }
  }
}

const workerKey = Symbol.for('unplugin-flash.worker')

interface Holder {
  [workerKey]?: Worker
}

/** Lets code below a context find its worker. */
export function attachWorker<T extends FunctionContext>(context: T, worker: Worker): T {
  ;(context as Holder)[workerKey] = worker
  return context
}

/**
 * The worker of the running call; else the one of this process. Both hang on objects that all copies of the
 * product see, since the worker's program and the user's modules may each have one.
 */
export function currentWorker(): Worker {
  const context = contextStorage().getStore() as Holder | undefined
  const shared = globalThis as Holder
  shared[workerKey] ??= createWorker({
    endpoint: '',
    write: (stream, text) => void process[stream].write(text),
  })
  return context?.[workerKey] ?? shared[workerKey]
}

/** Returns what takes it back. */
export function setCurrentWorker(worker: Worker): () => void {
  const shared = globalThis as Holder
  shared[workerKey] = worker
  return () => {
    if (shared[workerKey] === worker) delete shared[workerKey]
  }
}
