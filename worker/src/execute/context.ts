import type { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '@flash/protocol'
import { findModel } from './model.ts'

/** What `getContext()` gives below a running remote function. */
export interface FunctionContext {
  /** Aborts when the caller cancels, when the time is over, and when the worker stops. */
  readonly signal: AbortSignal
  readonly jobId: string
  readonly attempt: number
  /** Milliseconds since the epoch, `null` without a limit. */
  readonly deadline: number | null
  readonly endpoint: string
  readonly log: (...values: unknown[]) => void
  readonly progress: (value: unknown) => void
  readonly idempotencyKey: string | undefined
  readonly modelPath: string
  readonly refreshWorker: () => void
}

/** The part of it that exists in `setup`. */
export type SetupContext = Pick<FunctionContext, 'signal' | 'endpoint' | 'log' | 'modelPath'>

/** The members of a context, with `config.model` in place of its folder. */
export type ContextInit<T> = Omit<T, 'modelPath'> & { model: string | undefined }

const storageKey = Symbol.for('unplugin-flash.context')
type Storage = AsyncLocalStorage<FunctionContext>

/**
 * The one storage of this process. It hangs on the global object, since the worker's program and the user's modules
 * may each have a copy of the product.
 */
export function contextStorage(): Storage {
  const shared = globalThis as { [storageKey]?: Storage }
  // Taken from the process: where tests stand in for a browser, `node:` imports do not resolve.
  shared[storageKey] ??= new (process.getBuiltinModule(
    'node:async_hooks',
  ).AsyncLocalStorage)<FunctionContext>()
  return shared[storageKey]
}

export function createContext(init: ContextInit<FunctionContext>): FunctionContext {
  return fill(init)
}

function fill({ model, ...members }: ContextInit<SetupContext>): FunctionContext {
  return Object.assign(new Context(members.endpoint, model), members) as unknown as FunctionContext
}

/** Where a context keeps how many calls led to it. */
export const hopsKey = Symbol.for('unplugin-flash.hops')

/** Lets calls that are made in a context know how many led to it; its author sees nothing of it. */
export function attachHops(context: FunctionContext, hops = 0): FunctionContext {
  return Object.defineProperty(context, hopsKey, { value: hops })
}

const ofCalls = [
  'jobId',
  'attempt',
  'deadline',
  'progress',
  'idempotencyKey',
  'refreshWorker',
] as const satisfies (keyof FunctionContext)[]

/** A context whose other members say why they are not there. */
export function createSetupContext(init: ContextInit<SetupContext>): FunctionContext {
  const context = fill(init)
  for (const name of ofCalls) Object.defineProperty(context, name, { get: () => refuse(name) })
  return context
}

function refuse(name: string): never {
  throw new AppError('NO_CONTEXT', {
    message: `getContext().${name} does not exist in setup, which runs once for many calls`,
    hint: `read it in the function itself; setup has signal, endpoint, log and modelPath`,
  })
}

/** Made for every call: a getter on the prototype costs nothing until it is read. */
export class Context {
  readonly #model: string | undefined
  readonly endpoint: string

  constructor(endpoint: string, model: string | undefined) {
    this.endpoint = endpoint
    this.#model = model
  }

  get modelPath(): string {
    if (this.#model !== undefined) return findModel(this.#model)
    throw new AppError('NO_CONTEXT', {
      message: `getContext().modelPath does not exist: the endpoint "${this.endpoint}" has no model`,
      hint: "add model: 'owner/name' to its config",
    })
  }
}

/** `getContext().log`: the text that `console.log` would write. */
export function createLog(write: (text: string) => void): FunctionContext['log'] {
  const { format } = process.getBuiltinModule('node:util')
  return (...values) => write(`${format(...values)}\n`)
}
