import {
  AppError,
  DEADLINE_HEADER,
  defaultWorkerKey,
  endpointVariable,
  HOPS_HEADER,
  type ServerFunction,
} from '@flash/protocol'
import {
  bindServerStubs,
  type CallSettings,
  type ConnectBalanced,
  createFrameSend,
  createRoute,
  createSocket,
  createSteady,
  createWeb,
  currentCaller,
  findBundles,
  findBundlesServer,
  type KeyVariable,
  openNearby,
  type Post,
  readVariable,
  type SendBalanced,
  type ServerStubs,
  type Steady,
} from '@flash/runtime/server'
import type { RpcBackend } from './backend.ts'
import { createForwardBackend } from './forward.ts'
import { createInside } from './inside.ts'
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

/** The same for a route of a load-balanced endpoint. */
export function serverRoute(
  id: string,
  method: string,
  path: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverRoute']> {
  return createRoute({ ...reach(id, info), method, path })
}

/** The same for a whole web app. */
export function serverWeb(id: string, info: CalledFunction): ReturnType<ServerStubs['serverWeb']> {
  return createWeb(reach(id, info))
}

/** The same for a route with WebSockets. */
export function serverSocket(
  id: string,
  path: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverSocket']> {
  return createSocket({ ...reach(id, info), path })
}

function bind(id: string, info: CalledFunction): ServerStubs {
  let away: Post | undefined
  const post: Post = (route, body, how) => {
    const near = isNamed(info) ? undefined : findBundles(id)
    return (near ?? (away ??= postAway(id, info)))(route, body, how)
  }
  return bindServerStubs(post, inherit)
}

/** The ways to a load-balanced endpoint. */
function reach(id: string, info: CalledFunction) {
  let backend: RpcBackend | undefined
  const away = createInside(() => (backend ??= openAway(id, info)))
  const send: SendBalanced = (request) => {
    const near = isNamed(info) ? undefined : findBundles(id)
    return near ? createFrameSend({ ref: id, post: near })(request) : away.send(id)(request)
  }
  const connect: ConnectBalanced = async (request) => {
    const near = isNamed(info) ? undefined : findBundlesServer(id)
    return near ? openNearby(await near(), id, request) : away.connect(id)(request)
  }
  return { send, connect, inherit }
}

/** What runs the bundles of a whole build on one machine is told of them, and of no account; a variable says more. */
function isNamed({ name }: CalledFunction): boolean {
  return readVariable(process.env, endpointVariable(name)) !== undefined
}

/** What a call may be stopped by stops the calls that it makes. */
function inherit<T extends { signal?: AbortSignal } | undefined>(options: T): T {
  const outer = currentCaller()?.signal
  if (!outer) return options
  const own = options?.signal
  return { ...options, signal: own ? AbortSignal.any([own, outer]) : outer } as T
}

let steady: Steady | undefined
let key: Uint8Array | undefined

function postAway(id: string, info: CalledFunction): Post {
  // Its tokens are good in this process only, which is all that they are for.
  return postTo(() => openAway(id, info), { key: (key ??= crypto.getRandomValues(new Uint8Array(32))) })
}

function openAway(id: string, { name, app, key: keyName, settings, fn }: CalledFunction): RpcBackend {
  const { env } = process
  const shared = (steady ??= createSteady({ env, settings }))
  return createForwardBackend({
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
    steady: shared,
    headerOf: (call) => headerOf(call, name),
    headersOf: (request) => headersOf(request, name),
  })
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
function headerOf(
  { timeoutMs }: { timeoutMs?: number },
  endpoint: string,
): { deadline?: number; hops: number } {
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

/** The same as headers of a request. */
function headersOf(request: { timeoutMs?: number }, endpoint: string): Record<string, string> {
  const { deadline, hops } = headerOf(request, endpoint)
  return {
    [HOPS_HEADER]: String(hops),
    ...(deadline !== undefined && { [DEADLINE_HEADER]: String(Math.round(deadline)) }),
  }
}
