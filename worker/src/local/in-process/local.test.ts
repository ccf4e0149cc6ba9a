import { type CallableFact, type FunctionFact, RemoteError } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contextStorage, type FunctionContext } from '../../execute/context.ts'
import type { Functions } from '../../execute/definition.ts'
import { local } from './local.ts'

const getContext = () => contextStorage().getStore() as FunctionContext
const caught = (call: PromiseLike<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error as any,
  )

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}

let last = 0

/** `remote(config, body)` as the compiler writes it for tests. */
function remote<T>(config: object, body: T, more: Partial<FunctionFact> = {}): any {
  const functions: Functions = Object.create(null)
  const id = `id${++last}`
  const names = Array.isArray(more.callables) ? more.callables : [callable(id, null)]
  const fact: FunctionFact = {
    id,
    package: 'app',
    path: 'src/fn.ts',
    file: '/app/src/fn.ts',
    prefix: 'fn',
    exportPath: 'fn',
    exported: true,
    kind: 'function',
    callables: names,
    constructorParams: null,
    setup: 'setup' in config ? 'src/fn.ts#setup' : null,
    hasInput: 'input' in config,
    hasOutput: 'output' in config,
    endpoint: `endpoint-${id}`,
    at: { file: 'src/fn.ts', line: 3, column: 1 },
    ...more,
  }
  const stub = local(functions, id, config, body, fact)
  expect(Object.keys(functions)).toEqual([id])
  return stub
}

function callable(
  name: string,
  params: string[] | null,
  kind: CallableFact['kind'] = 'function',
): CallableFact {
  return { name, kind, params: params && params.map((name) => ({ name, kind: 'plain', optional: false })) }
}

test('a call runs the real function, with copies of its arguments', async () => {
  const seen: unknown[] = []
  const echo = remote({}, async (value: unknown) => {
    seen.push(value)
    return value
  })
  const list = [1, 2]
  expect(await echo(list)).toEqual([1, 2])
  expect(await echo(list)).not.toBe(list)
  expect(seen[0]).not.toBe(list)
  const rich = {
    at: new Date(0),
    bytes: new Uint8Array([1, 2]),
    map: new Map([['a', 1n]]),
    nothing: undefined,
  }
  expect(await echo(rich)).toEqual(rich)
  expect(await remote({}, () => {})()).toBeUndefined()
})

test('files travel', async () => {
  const read = remote(
    {},
    async (file: File) => `${file.name} ${new TextDecoder().decode(await file.arrayBuffer())}`,
  )
  expect(await read(new File(['abc'], 'a.txt'))).toBe('a.txt abc')
})

test('what cannot travel is refused by its path, as in production', async () => {
  const echo = remote({}, (value: unknown) => value)
  expect(await caught(echo({ deep: { cb() {} } }))).toMatchObject({ code: 'CANNOT_CARRY' })
  expect(await caught(remote({}, () => ({ cb() {} }))())).toMatchObject({ code: 'CANNOT_CARRY' })
})

test('errors arrive as they would from a worker, with the stack of the function', async () => {
  const fail = remote({}, function thrower() {
    throw new RemoteError('NO_TEXT', 'nothing to read', { data: { page: 2 } })
  })
  const error = await caught(fail())
  expect(error).toBeInstanceOf(RemoteError)
  expect(error).toMatchObject({ code: 'NO_TEXT', message: 'nothing to read', data: { page: 2 } })
  expect(error.stack).toContain('thrower')
})

test('setup runs once for all functions of the same binding, and input is checked', async () => {
  const setup = vi.fn(async () => ({ prefix: getContext().endpoint }))
  const input = z.object({ name: z.string(), times: z.coerce.number().default(2) })
  const config = { name: 'shared', setup, input, output: z.string().max(30) }
  const more = { endpoint: 'shared' }
  const greet = remote(
    config,
    ({ name, times }: { name: string; times: number }, { prefix }: { prefix: string }) =>
      `${prefix} ${name.repeat(times)}`,
    more,
  )
  const shout = remote(config, ({ name }: { name: string }) => name.toUpperCase(), more)
  expect(
    await Promise.all([greet({ name: 'a' }), greet({ name: 'b', times: '3' }), shout({ name: 'c' })]),
  ).toEqual(['shared aa', 'shared bbb', 'C'])
  expect(setup).toHaveBeenCalledOnce()
  expect(await caught(greet({ name: 5 }))).toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(/^name: /),
  })
  expect(await caught(greet({ name: 'x'.repeat(40) }))).toMatchObject({ code: 'OUTPUT_INVALID' })
})

test('generators stream, and leaving the loop ends them', async () => {
  const left = vi.fn()
  const count = remote(
    {},
    async function* (n: number) {
      try {
        for (let i = 0; i < n; i++) yield { i }
      } finally {
        left()
      }
    },
    { kind: 'generator' },
  )
  expect(await collect(count(3))).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }])
  for await (const { i } of count(1_000_000)) if (i === 2) break
  await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(2))
})

test('a class: instances by constructor arguments, methods of every kind', async () => {
  class Model {
    made = 0
    constructor(
      readonly name: string,
      readonly options?: unknown,
    ) {}
    count(by: number) {
      this.made += by
      return `${this.name} ${this.made}`
    }
    async *letters() {
      yield* this.name
    }
  }
  const Remote = remote({}, Model, {
    kind: 'class',
    callables: [callable('count', ['by']), callable('letters', [], 'generator')],
  })
  expect([
    await new Remote('a').count(1),
    await new Remote('a').count(2),
    await new Remote('b').count(1),
  ]).toEqual(['a 1', 'a 3', 'b 1'])
  const rich = { at: new Date(0) }
  expect([await new Remote('a', rich).count(1), await new Remote('a', rich).count(1)]).toEqual(['a 1', 'a 2'])
  expect(await collect(new Remote('xyz').letters())).toEqual(['x', 'y', 'z'])
})

test('no more instances are kept than the config allows', async () => {
  const closed: string[] = []
  const Limited = remote(
    { instances: 1 },
    class {
      constructor(readonly name: string) {}
      hello() {
        return this.name
      }
      [Symbol.dispose]() {
        closed.push(this.name)
      }
    },
    { kind: 'class', callables: [callable('hello', [])] },
  )
  for (const name of ['a', 'b', 'c']) expect(await new Limited(name).hello()).toBe(name)
  await vi.waitFor(() => expect(closed).toEqual(['a', 'b']))
})

test('what a function prints is printed', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const print = remote({}, () => void process.stdout.write('from the function\n'))
  try {
    await print()
    await vi.waitFor(() => expect(write).toHaveBeenCalledWith('from the function\n'))
  } finally {
    write.mockRestore()
  }
})

test('abort reaches the signal, and the call rejects with its reason', async () => {
  const aborted = vi.fn()
  const wait = remote({}, () => {
    const { signal } = getContext()
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(aborted(getContext().jobId))),
    )
  })
  const controller = new AbortController()
  const call = wait.with({ signal: controller.signal })()
  setTimeout(() => controller.abort(new Error('enough')), 20)
  expect(await caught(call)).toMatchObject({ message: 'enough' })
  await vi.waitFor(() => expect(aborted).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/-u1$/)))
  expect(await caught(wait.with({ timeoutMs: 20 })())).toMatchObject({ code: 'TIMEOUT' })
  expect(await caught(wait.with({ executionTimeoutMs: 20 })())).toMatchObject({ code: 'TIMEOUT' })
})

test('run, status, events, attach, cancel, map and warm', async () => {
  const setup = vi.fn()
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const work = remote({ setup }, async (n: number) => {
    const { progress, log, idempotencyKey, refreshWorker } = getContext()
    progress({ half: true })
    log('working', idempotencyKey)
    refreshWorker()
    return n * 2
  })
  await work.warm()
  expect(setup).toHaveBeenCalledOnce()
  const job = await work.with({ idempotencyKey: 'k' }).run(4)
  expect(await job.wait()).toBe(8)
  expect(await job.status()).toMatchObject({
    id: job.id,
    status: 'COMPLETED',
    workerId: expect.any(String),
  })
  expect((await work.with({ idempotencyKey: 'k' }).run(5)).id).toBe(job.id)
  expect(await work.attach(job.id).wait()).toBe(8)
  expect(await work.map([1, 2, 3])).toEqual([2, 4, 6])
  expect(log).toHaveBeenCalledWith('working k')
  log.mockRestore()
  const stuck = await remote({}, () => new Promise(() => {})).run()
  const events: unknown[] = []
  const following = (async () => {
    for await (const event of stuck) events.push(event)
  })()
  await vi.waitFor(() => expect(events).toMatchObject([{ type: 'status', status: 'IN_PROGRESS' }]))
  await stuck.cancel()
  expect(await caught(following)).toMatchObject({ code: 'CANCELLED' })
  expect(await caught(work.attach('nobody').wait())).toMatchObject({ code: 'JOB_NOT_FOUND' })
})

test('functions call each other through their stubs', async () => {
  const inner = remote({}, (n: number) => ({ id: getContext().jobId, n }))
  const outer = remote({}, async (n: number) => ({ inner: await inner(n + 1), own: getContext().jobId }))
  const result = await outer(1)
  expect(result.inner.n).toBe(2)
  expect(result.inner.id).not.toBe(result.own)
})

test('outside of a function there is no context', () => expect(getContext()).toBeUndefined())
