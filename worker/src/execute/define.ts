import { type Encoded, encodeValue } from '@flash/protocol'
import { serverClass, serverStub } from '@flash/runtime'
import { acquireState, type Callee, checkArguments, instanceKeyOf } from './call.ts'
import { type Class, findMethod, methodsOf } from './class.ts'
import { contextStorage } from './context.ts'
import { createDefinition, type Functions, isClass, isGenerator } from './definition.ts'
import { checkOutput } from './schema.ts'
import { currentWorker } from './worker.ts'

type AnyFunction = (...args: any[]) => any

/** What makes the members a function has besides being called: `.run`, `.map`, `.with`, `.attach`, `.warm`. */
export interface StubMaker {
  serverStub(id: string, generator: 0 | 1, info: { name: string; at: string }): AnyFunction
  serverClass(id: string, methods: string, info: { name: string; at: string }): Class
}

/** The members, looked up when they are used: most code never does. */
const members = ['run', 'map', 'with', 'attach', 'warm'] as const

/**
 * What replaces `remote` in the modules of a worker: the function registers itself, and code of the same worker
 * that calls it runs it right here, in the same process, with its state.
 */
export const define = /* @__PURE__ */ createDefine({ serverStub, serverClass })

/** The same for a function that no code of its worker calls: it is only made known. */
export function register(functions: Functions, id: string, config: unknown, body: unknown): void {
  functions[id] = createDefinition(config, body)
}

export function createDefine(stubs: StubMaker) {
  return (functions: Functions, id: string, config: unknown, body: unknown): unknown => {
    const definition = createDefinition(config, body)
    functions[id] = definition
    const callee: Callee = { id, definition }
    return isClass(body)
      ? defineClass(callee, body, stubs)
      : defineFunction(callee, body as AnyFunction, stubs)
  }
}

function defineFunction(callee: Callee, body: AnyFunction, stubs: StubMaker): AnyFunction {
  const generator = isGenerator(body)
  const call = generator
    ? (...args: unknown[]) => generate(callee, body, args)
    : (...args: unknown[]) => run(callee, body, args)
  return withMembers(
    call,
    body.name,
    () => stubs.serverStub(callee.id, generator ? 1 : 0, infoOf()) as AnyFunction,
  )
}

const infoOf = () => ({ name: currentWorker().endpoint, at: '' })

function withMembers(call: AnyFunction, name: string, stub: () => AnyFunction): AnyFunction {
  let made: AnyFunction | undefined
  Object.defineProperty(call, 'name', { value: name, configurable: true })
  for (const member of members) {
    Object.defineProperty(call, member, {
      configurable: true,
      enumerable: true,
      get: () => ((made ??= stub()) as unknown as Record<string, unknown>)[member],
    })
  }
  return call
}

/** A signal for work that no caller can cancel: code at the top of a module. */
const never = new AbortController().signal

/** That of the call that asks, so that cancelling it also ends its waiting. */
function callerSignal(): AbortSignal {
  return contextStorage().getStore()?.signal ?? never
}

interface Prepared {
  args: unknown[]
  release(): void
}

async function prepare(callee: Callee, given: unknown[]): Promise<Prepared> {
  const args = await checkArguments(callee, { args: given })
  const held = await acquireState(currentWorker(), callee, callerSignal())
  return { args: held ? [args[0], held.state] : args, release: () => held?.release() }
}

async function run(callee: Callee, body: AnyFunction, given: unknown[]): Promise<unknown> {
  const { args, release } = await prepare(callee, given)
  try {
    return await checked(callee, await body(...args))
  } finally {
    release()
  }
}

async function* generate(callee: Callee, body: AnyFunction, given: unknown[]): AsyncGenerator<unknown, void> {
  const { args, release } = await prepare(callee, given)
  try {
    for await (const item of body(...args)) yield await checked(callee, item)
  } finally {
    release()
  }
}

function checked({ definition }: Callee, value: unknown): unknown {
  const { output } = definition.config
  return output === undefined ? value : checkOutput(output, value)
}

/** Making one does nothing; its methods share the instances that calls from outside have. */
function defineClass(callee: Callee, Class: Class, stubs: StubMaker): Class {
  const methods = methodsOf(Class)
  const list = Array.from(methods, ([name, method]) => (isGenerator(method) ? `*${name}` : name)).join(',')
  let made: Class | undefined
  const stubClass = () => (made ??= stubs.serverClass(callee.id, list, infoOf()))
  const Local = function (this: object, ...construct: unknown[]) {
    let remote: Record<string, AnyFunction> | undefined
    const stub = () => (remote ??= new (stubClass())(...construct) as Record<string, AnyFunction>)
    for (const [name, method] of methods) {
      const bound = { callee, Class, construct, name }
      const call = isGenerator(method)
        ? (...args: unknown[]) => generateFrom(bound, args)
        : (...args: unknown[]) => runMethod(bound, args)
      Object.defineProperty(this, name, {
        value: withMembers(call, name, () => stub()[name]!),
        enumerable: true,
      })
    }
  }
  return Object.defineProperty(Local, 'name', { value: Class.name }) as unknown as Class
}

interface BoundMethod {
  callee: Callee
  Class: Class
  construct: unknown[]
  name: string
}

async function hold({ callee, Class, construct, name }: BoundMethod) {
  const worker = currentWorker()
  const method = findMethod(Class, name)
  const encoded: Encoded = await encodeValue(construct, 'in', { inline: true })
  const key = instanceKeyOf(encoded.rich ? encoded.text : construct)
  const state = await acquireState(worker, callee, callerSignal())
  try {
    const limit = worker.instanceLimit
    const { instance, release } = worker.instances.acquire({
      id: callee.id,
      Class,
      key,
      limit,
      args: construct,
    })
    const releaseBoth = () => {
      release()
      state?.release()
    }
    return { call: (args: unknown[]) => method.apply(instance, args), release: releaseBoth }
  } catch (error) {
    state?.release()
    throw error
  }
}

async function runMethod(bound: BoundMethod, args: unknown[]): Promise<unknown> {
  const { call, release } = await hold(bound)
  try {
    return await call(args)
  } finally {
    release()
  }
}

async function* generateFrom(bound: BoundMethod, args: unknown[]): AsyncGenerator<unknown, void> {
  const { call, release } = await hold(bound)
  try {
    yield* call(args) as AsyncGenerator<unknown, void>
  } finally {
    release()
  }
}
