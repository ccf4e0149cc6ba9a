import { AppError, defaultWorkerKey, endpointVariable, type ServerFunction } from '@flash/protocol'
import {
  bindServerStubs,
  type CallSettings,
  createSteady,
  currentCaller,
  findBundles,
  type KeyVariable,
  type Post,
  readVariable,
  type ServerStubs,
  type Steady,
} from '@flash/runtime/server'
import type { CallEnvelope } from './envelope.ts'
import { createForwardBackend } from './forward.ts'
import { postTo } from './post-to.ts'

/** What the bundle of one endpoint knows of a function of another one. */
export interface CalledFunction {
  /** Of its endpoint. */
  name: string
  /** Where its author wrote it. */
  at: string
  /** The project's name on the account. */
  app: string
  /** Name of the variable with the key for such calls. */
  key?: string
  settings?: Partial<CallSettings>
  fn: Omit<ServerFunction, 'id' | 'endpoint'>
}

/** A chain of calls that is longer has most likely no end. */
const hopsLimit = 16

/** Makes the stub of a function of another endpoint, in the bundle of a worker. */
export function serverStub(
  id: string,
  generator: 0 | 1,
  info: CalledFunction,
): ReturnType<ServerStubs['serverStub']> {
  return bind(id, info).serverStub(id, generator, info)
}

/** The same for a class; `methods` as in `load,*tokens`, where `*` marks a generator. */
export function serverClass(
  id: string,
  methods: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverClass']> {
  return bind(id, info).serverClass(id, methods, info)
}

function bind(id: string, info: CalledFunction): ServerStubs {
  let away: Post | undefined
  const post: Post = (route, body, how) => {
    // What runs the bundles of a whole build on one machine is told of them, and of no account.
    const near = readVariable(process.env, endpointVariable(info.name)) ? undefined : findBundles(id)
    return (near ?? (away ??= postAway(id, info)))(route, body, how)
  }
  return bindServerStubs(post, (options) => {
    const outer = currentCaller()?.signal
    if (!outer) return options
    const own = options?.signal
    return { ...options, signal: own ? AbortSignal.any([own, outer]) : outer }
  })
}

let steady: Steady | undefined
let key: Uint8Array | undefined

function postAway(id: string, { name, app, key: keyName, settings, fn }: CalledFunction): Post {
  const { env } = process
  const shared = (steady ??= createSteady({ env, settings }))
  const open = () =>
    createForwardBackend({
      facts: {
        app: readVariable(env, 'FLASH_APP') ?? app,
        prefix: '',
        functions: [{ ...fn, id, endpoint: name }],
      },
      env,
      key: keyOf(keyName),
      findDev: () => undefined,
      findBundles: () => undefined,
      choose: shared.choose,
      createClient: shared.client,
      headerOf: (call) => headerOf(call, name),
    })
  // Its tokens are good in this process only, which is all that they are for.
  return postTo(open, { key: (key ??= crypto.getRandomValues(new Uint8Array(32))) })
}

function keyOf(named: string | undefined): KeyVariable {
  const name = named ?? defaultWorkerKey
  return {
    name,
    missing: (endpoint) =>
      new AppError('CALLS_NEED_KEY', {
        message: `${callerName()} calls endpoint "${endpoint}", and has no key for that: ${name} is not set`,
        hint: named
          ? `set ${name} to a key of the account that may call its endpoints`
          : `name a variable in the option workerKey of flash(), such as ${name}, build again, and set it to a key that may call the endpoints`,
      }),
  }
}

function callerName(): string {
  const caller = currentCaller()
  return caller ? `endpoint "${caller.endpoint}"` : 'this worker'
}

/** Hands on until when an answer is of use, and how long the chain of calls is. */
function headerOf({ timeoutMs }: CallEnvelope, endpoint: string): { deadline?: number; hops: number } {
  const caller = currentCaller()
  const hops = Math.max(caller?.hops ?? 0, 0) + 1
  if (hops > hopsLimit) {
    throw new AppError('CALL_LOOP', {
      message: `${callerName()} calls endpoint "${endpoint}" as number ${hops} of a chain of calls, and ${hopsLimit} is the limit`,
      hint: 'look for functions of endpoints that call each other without an end',
    })
  }
  const deadline = Math.min(
    caller?.deadline ?? Number.POSITIVE_INFINITY,
    timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs,
  )
  return Number.isFinite(deadline) ? { deadline, hops } : { hops }
}
