import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { instanceKeyOf, runCall } from './call.ts'
import { contextStorage, type FunctionContext } from './context.ts'
import { createDefine, define, register } from './define.ts'
import type { Functions } from './definition.ts'
import { createWorker, setCurrentWorker, type Worker } from './worker.ts'

const getContext = () => contextStorage().getStore() as FunctionContext
const caught = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error,
  )

let worker: Worker
let unset: () => void
const written: string[] = []

beforeEach(() => {
  written.length = 0
  worker = createWorker({ endpoint: 'test', write: (_, text) => void written.push(text) })
  unset = setCurrentWorker(worker)
})

afterEach(() => unset())

function setUp() {
  const functions: Functions = Object.create(null)
  const members = (id: string) =>
    Object.assign(() => {}, {
      run: vi.fn(async () => `job of ${id}`),
      map: vi.fn(),
      with: vi.fn(),
      attach: vi.fn(),
      warm: vi.fn(),
    })
  const serverStub = vi.fn((id: string) => members(id))
  const serverClass = vi.fn((id: string, methods: string) =>
    vi.fn(function (this: object) {
      for (const name of methods.split(','))
        Object.assign(this, { [name.replace('*', '')]: members(`${id}.${name}`) })
    }),
  )
  const defineHere = createDefine({ serverStub, serverClass } as never) as any
  return {
    functions,
    serverStub,
    serverClass,
    define: (id: string, config: unknown, body: unknown) => defineHere(functions, id, config, body),
  }
}

test('a function registers itself under its id and keeps its name', () => {
  const { functions, define } = setUp()
  const body = async function read() {}
  const config = { gpu: 'any' }
  const fn = define('constructor', config, body)
  expect(functions).toEqual(Object.assign(Object.create(null), { constructor: { config, body } }))
  expect(fn.name).toBe('read')
  expect(String(fn)).not.toContain('read()')
})

test('code of the same worker runs it right there: no codec, with input, state and output', async () => {
  const { define } = setUp()
  const setup = vi.fn(() => ({ model: 1 }))
  const input = z.object({ text: z.string().trim() })
  const fn = define('f', { setup, input, output: z.array(z.unknown()) }, (given: object, state: object) => [
    given,
    state,
  ])
  const [given, state] = await fn({ text: ' a ' })
  expect(given).toEqual({ text: 'a' })
  expect((await fn({ text: 'b' }))[1]).toBe(state)
  expect(setup).toHaveBeenCalledOnce()
  expect(await caught(fn({ text: 1 }))).toMatchObject({ code: 'BAD_INPUT' })
  expect(await caught(define('g', { output: z.string() }, () => 5)())).toMatchObject({
    code: 'OUTPUT_INVALID',
  })
  const shared = { any: () => {} }
  expect(await define('h', undefined, (one: unknown) => one)(shared)).toBe(shared)
})

test('a generator gives its items at once, checked, and is left with the loop', async () => {
  const { define } = setUp()
  const left = vi.fn()
  const count = define(
    'c',
    { setup: () => 10, output: z.number().max(12) },
    async function* (from: number, state: number) {
      try {
        for (let i = from; ; i++) yield i + state
      } finally {
        left()
      }
    },
  )
  const items: number[] = []
  for await (const item of count(0)) {
    items.push(item)
    if (items.length === 2) break
  }
  expect(items).toEqual([10, 11])
  expect(left).toHaveBeenCalledOnce()
  expect(await caught(count(3).next())).toMatchObject({ code: 'OUTPUT_INVALID' })
  const sync = define('s', {}, function* () {
    yield Promise.resolve(1)
  })
  expect(await sync().next()).toEqual({ value: 1, done: false })
})

test('a class shares its instances with calls from outside', async () => {
  const { functions, define } = setUp()
  class Model {
    calls = 0
    constructor(readonly options: { name: string; at?: Date }) {}
    next() {
      return `${this.options.name} ${++this.calls}`
    }
    async *letters() {
      yield* this.options.name
    }
  }
  const Local = define('M', {}, Model)
  expect(Local.name).toBe('Model')
  const model = new Local({ name: 'a' })
  expect(Object.keys(model)).toEqual(['next', 'letters'])
  expect(await model.next()).toBe('a 1')
  const scope = {
    signal: new AbortController().signal,
    jobId: 'j',
    attempt: 1,
    deadline: null,
    progress() {},
    refreshWorker() {},
    log() {},
    onItem() {},
  }
  const target = {
    callable: 'next',
    args: [],
    construct: [{ name: 'a' }],
    instanceKey: instanceKeyOf([{ name: 'a' }]),
  }
  expect(await runCall(worker, { id: 'M', definition: functions.M! }, target, scope)).toEqual({
    kind: 'value',
    value: 'a 2',
  })
  expect(await new Local({ name: 'a' }).next()).toBe('a 3')
  expect(await new Local({ name: 'a', at: new Date(0) }).next()).toBe('a 1')
  const letters: string[] = []
  for await (const letter of new Local({ name: 'xy' }).letters()) letters.push(letter)
  expect(letters).toEqual(['x', 'y'])
})

test('a class whose constructor throws fails its calls, and keeps no instance', async () => {
  const { define } = setUp()
  let tries = 0
  const dispose = vi.fn()
  class Model {
    constructor() {
      if (++tries === 1) throw new Error('cannot be made')
    }
    ok() {
      return tries
    }
  }
  const model = new (define('M', { setup: () => ({ dispose }) }, Model))()
  expect(await caught(model.ok())).toMatchObject({ message: 'cannot be made' })
  expect(await model.ok()).toBe(2)
  await worker.close()
  expect(dispose).toHaveBeenCalledOnce()
})

test('the other members come from a server stub, made when one is used', async () => {
  const { define, serverStub, serverClass } = setUp()
  const fn = define('f', {}, async () => {})
  const stream = define('g', {}, async function* () {})
  expect(serverStub).not.toHaveBeenCalled()
  expect(await fn.run(1)).toBe('job of f')
  expect(fn.map).toBe(fn.map)
  expect(serverStub.mock.calls).toEqual([['f', 0, { name: 'test', at: '' }]])
  await stream.run()
  expect(serverStub.mock.calls[1]).toEqual(['g', 1, { name: 'test', at: '' }])
  class Model {
    load() {}
    *tokens() {}
  }
  const model = new (define('M', {}, Model))('a')
  expect(await model.tokens.run()).toBe('job of M.*tokens')
  expect(await model.load.run()).toBe('job of M.load')
  expect(serverClass.mock.calls).toEqual([['M', 'load,*tokens', { name: 'test', at: '' }]])
})

test('inside a call the context is that of the caller, and so is the worker', async () => {
  const { functions, define } = setUp()
  const setup = vi.fn(() => getContext().endpoint)
  const inner = define('inner', { setup }, (_: unknown, state: string) => [getContext().jobId, state])
  define('outer', {}, () => inner())
  const other = createWorker({ endpoint: 'other', write() {} })
  const abort = new AbortController()
  const scope = {
    signal: abort.signal,
    jobId: 'outer job',
    attempt: 1,
    deadline: null,
    progress() {},
    refreshWorker() {},
    log() {},
    onItem() {},
  }
  const target = { callable: 'outer', args: [], construct: [], instanceKey: '' }
  const outer = { id: 'outer', definition: functions.outer! }
  expect(await runCall(other, outer, target, scope)).toEqual({ kind: 'value', value: ['outer job', 'other'] })
})

test('without a worker there is one that keeps states all the same', async () => {
  unset()
  const setup = vi.fn(() => 1)
  const { define } = setUp()
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const one = define(
    'one',
    { setup: () => (getContext().log('made'), setup()) },
    (_: unknown, state: number) => state,
  )
  expect([await one(), await one()]).toEqual([1, 1])
  expect(write).toHaveBeenCalledWith('made\n')
  write.mockRestore()
  expect(setup).toHaveBeenCalledOnce()
})

test('functions with the same setup binding share its state', async () => {
  const { define } = setUp()
  const setup = vi.fn(() => ({}))
  const [a, b] = [
    define('a', { setup }, (_: unknown, state: object) => state),
    define('b', { setup }, (_: unknown, state: object) => state),
  ]
  expect(await a()).toBe(await b())
  expect(setup).toHaveBeenCalledOnce()
})

test('the published define makes real stubs', () => {
  const functions: Functions = Object.create(null)
  const fn = define(functions, 'f', {}, async () => {}) as { run: unknown; with: unknown }
  expect([typeof fn.run, typeof fn.with]).toEqual(['function', 'function'])
})

test('what cannot be disposed is reported', async () => {
  const { define } = setUp()
  const setup = () => ({
    [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')),
  })
  await define('f', { setup }, () => {})()
  await worker.close()
  expect(written.join('')).toContain('Error: stuck')
})

test('a function that is only made known is found by its id', () => {
  const functions: Functions = Object.create(null)
  const body = async () => 1
  expect(register(functions, 'one', { instances: 2 }, body)).toBeUndefined()
  expect(functions.one).toEqual({ config: { instances: 2 }, body })
})
