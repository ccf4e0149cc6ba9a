import { createTestClock, type LocalCall } from '@flash/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { currentCaller } from '@flash/runtime/server'
import { contextStorage, type FunctionContext } from '../execute/context.ts'
import { createDefinition, type Functions } from '../execute/definition.ts'
import { serveChannel } from './serve.ts'
import { createPair, createParent } from './testing.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const getContext = () => contextStorage().getStore() as FunctionContext
const turn = () => new Promise((done) => setTimeout(done, 5))
const caught = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error,
  )

function start(
  functions: Record<string, unknown>,
  configs: Record<string, object> = {},
  more: Partial<LocalCall> = {},
) {
  const pair = createPair()
  const clock = createTestClock()
  const parent = createParent(pair.wire, more)
  const printed: string[] = []
  const stream = () => ({ write: (text: string | Uint8Array) => printed.push(String(text)) > 0 })
  const streams = { stdout: stream(), stderr: stream() }
  const load = vi.fn(async () => {
    const __flash_functions: Functions = Object.create(null)
    for (const [id, body] of Object.entries(functions))
      __flash_functions[id] = createDefinition(configs[id] ?? configs.all, body)
    return { __flash_functions }
  })
  const invalidate = vi.fn()
  const end = serveChannel(pair.channel, async () => ({ load, invalidate }), {
    clock,
    streams,
    graceMs: 1_000,
  })
  ends.push(end)
  parent.say({ t: 'start', root: '/', endpoint: 'test', unnamed: [] })
  return { parent, clock, streams, printed, end, pair, load, invalidate, functions }
}

const classShape = (...names: string[]): Partial<LocalCall> => ({
  shape: { kind: 'class', callables: names.map((name) => ({ name, params: null })), takesObject: false },
})
const method = (fn: string, args: unknown[] = [], construct: unknown[] = []): Partial<LocalCall> => ({
  input: { args, 'flash:call': { v: 1, fn, new: construct } },
})

test('values and bytes travel both ways', async () => {
  const { parent } = start({ echo: async (...args: unknown[]) => args })
  const date = new Date(0)
  expect(await parent.call('echo', ['text', { deep: [1, null] }])).toEqual(['text', { deep: [1, null] }])
  expect(await parent.call('echo', [new Uint8Array([1, 2, 3]), new Map([[date, 5n]])])).toEqual([
    new Uint8Array([1, 2, 3]),
    new Map([[date, 5n]]),
  ])
  expect(await parent.call('echo', [new File(['abc'], 'a.txt')])).toMatchObject([{ name: 'a.txt', size: 3 }])
})

test('a result that is undefined is one, and not a stream', async () => {
  const { parent } = start({ nothing: () => {} })
  expect(await parent.call('nothing')).toBeUndefined()
  expect((await parent.hear('done')).text).not.toBe('')
})

test('a foreign caller gets plain JSON', async () => {
  const { parent } = start({ now: () => ({ at: new Date(0) }), map: () => new Map() }, {}, { foreign: true })
  expect(await parent.call('now')).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  expect(await caught(parent.call('map'))).toMatchObject({ code: 'OUTPUT_NOT_JSON' })
})

test('what cannot travel fails the call by its path', async () => {
  const { parent } = start({ bad: () => ({ deep: { cb() {} } }) })
  expect(await caught(parent.call('bad'))).toMatchObject({
    code: 'CANNOT_CARRY',
    message: expect.stringContaining('deep.cb'),
  })
})

test('arguments go through the same reader as everywhere', async () => {
  const shape: LocalCall['shape'] = {
    kind: 'function',
    callables: [
      {
        name: 'add',
        params: [
          { name: 'a', kind: 'plain', optional: false },
          { name: 'b', kind: 'plain', optional: true },
        ],
      },
    ],
    takesObject: false,
  }
  const { parent } = start({ add: (a: number, b = 10) => a + b }, {}, { shape, foreign: true })
  const send = (input: Record<string, unknown>) => {
    parent.say({
      t: 'call',
      call: 50,
      jobId: 'j',
      attempt: 1,
      deadline: null,
      fn: 'add',
      module: '/m',
      input,
      shape,
      foreign: true,
      setup: null,
      endpoint: 'e',
      instances: 1,
    })
    return Promise.race([parent.hear('done'), parent.hear('failed')])
  }
  expect(await send({ a: 1 })).toMatchObject({ t: 'done', text: '11' })
  parent.said.length = 0
  expect(await send({ a: 1, c: 2 })).toMatchObject({ t: 'failed', error: { code: 'BAD_INPUT' } })
})

test('the context tells about the call, and reports for it', async () => {
  const deadline = 1_700_000_600_000
  const { parent } = start({
    async all() {
      await turn()
      const { jobId, attempt, deadline, endpoint, idempotencyKey, signal, log, progress, refreshWorker } =
        getContext()
      log('hello', { n: 1 })
      progress({ percent: 50 })
      progress(new Map([['bytes', new Uint8Array([7])]]))
      progress(new Blob(['late']))
      refreshWorker()
      await turn()
      return { jobId, attempt, deadline, endpoint, idempotencyKey, aborted: signal.aborted }
    },
  })
  const call = parent.call('all', [], { jobId: 'j1', attempt: 2, deadline, idempotencyKey: 'key' })
  expect(await call).toEqual({
    jobId: 'j1',
    attempt: 2,
    deadline,
    endpoint: 'test',
    idempotencyKey: 'key',
    aborted: false,
  })
  expect(parent.output(call.number)).toBe('hello { n: 1 }\n')
  expect(parent.said.filter(({ t }) => t === 'progress')).toMatchObject([
    { rich: false, text: '{"percent":50}', parts: [] },
    { rich: true, parts: [new Uint8Array([7])] },
    { rich: true, parts: [new Uint8Array(Buffer.from('late'))] },
  ])
  expect(parent.said.some(({ t }) => t === 'refresh')).toBe(true)
})

test('progress that cannot travel throws where it is reported', async () => {
  const { parent } = start({ bad: () => getContext().progress(() => {}) })
  expect(await caught(parent.call('bad'))).toMatchObject({ code: 'CANNOT_CARRY' })
})

test('output of concurrent calls is never mixed up, and what belongs to no call is passed on too', async () => {
  const { parent, streams, printed } = start({
    async talk(name: string) {
      for (let n = 0; n < 3; n++) {
        streams.stdout.write(`${name}${n} `)
        await turn()
      }
      setTimeout(() => streams.stderr.write(`late ${name} `), 20)
    },
  })
  const [a, b] = [parent.call('talk', ['a']), parent.call('talk', ['b'])]
  await Promise.all([a, b])
  streams.stdout.write('nobody ')
  await vi.waitFor(() => expect(parent.output(null)).toContain('late b'))
  expect([parent.output(a.number), parent.output(b.number)]).toEqual(['a0 a1 a2 ', 'b0 b1 b2 '])
  expect(parent.output(null).split(' ').toSorted()).toEqual(['', 'a', 'b', 'late', 'late', 'nobody'])
  expect(printed).toEqual([])
})

test('output that nobody takes is dropped, and the next text says how much', async () => {
  const { parent, streams, pair } = start({
    flood() {
      pair.backlog.bytes = 262_144 - 10
      streams.stdout.write('x'.repeat(30))
      streams.stdout.write('y'.repeat(5))
      pair.backlog.bytes = 0
      streams.stdout.write('end')
    },
    drown() {
      pair.backlog.bytes = 300_000
      streams.stderr.write('lost')
    },
  })
  const flood = parent.call('flood')
  await flood
  expect(parent.output(flood.number)).toBe(
    `${'x'.repeat(10)}[20 characters of output dropped here: written faster than they could be passed on]\nend`.replace(
      '20 ',
      '25 ',
    ),
  )
  const drown = parent.call('drown')
  await drown
  expect(parent.output(drown.number)).toMatch(/^\[4 characters of output dropped/)
})

for (const [what, body] of [
  [
    'a generator',
    function* (n: number) {
      for (let i = 0; i < n; i++) yield i
    },
  ],
  [
    'an async generator',
    async function* (n: number) {
      for (let i = 0; i < n; i++) yield i
    },
  ],
  [
    'a function that returns an async iterable',
    (n: number) =>
      new ReadableStream({
        start(to) {
          for (let i = 0; i < n; i++) to.enqueue(i)
          to.close()
        },
      }),
  ],
  [
    'an async function that returns a generator',
    async (n: number) =>
      (function* () {
        for (let i = 0; i < n; i++) yield Promise.resolve(i)
      })(),
  ],
] as const) {
  test(`${what} sends its items one by one`, async () => {
    const { parent } = start({ count: body })
    await parent.call('count', [3])
    expect(parent.said.filter(({ t }) => t === 'item')).toMatchObject([
      { text: '0' },
      { text: '1' },
      { text: '2' },
    ])
    expect(await parent.hear('done')).toMatchObject({ text: '' })
  })
}

test('an item over 1 MB fails the call with its size, and the generator is left', async () => {
  const left = vi.fn()
  const { parent } = start({
    async *big() {
      try {
        yield 'x'.repeat(999_998)
        yield new Uint8Array(1_000_001)
        yield 'never'
      } finally {
        left()
      }
    },
  })
  expect(await caught(parent.call('big'))).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    message: expect.stringMatching(/10000\d\d bytes/),
  })
  expect(parent.said.filter(({ t }) => t === 'item')).toHaveLength(1)
  expect(left).toHaveBeenCalledOnce()
})

test('cancel aborts the signal, leaves the generator, and nothing more is said but the end', async () => {
  const left = vi.fn()
  const { parent } = start({
    async *ticks() {
      try {
        for (let n = 0; ; n++) {
          yield n
          await turn()
        }
      } finally {
        getContext().progress('leaving')
        left(getContext().signal.reason.message)
      }
    },
  })
  const call = parent.call('ticks')
  await parent.hear('item', ({ text }) => text === '2')
  parent.say({ t: 'cancel', call: call.number, reason: 'cancelled' })
  parent.say({ t: 'cancel', call: call.number, reason: 'again' })
  parent.say({ t: 'cancel', call: 99, reason: 'never was' })
  expect(await caught(call)).toMatchObject({
    code: 'CANCELLED',
    message: 'the call was cancelled: cancelled',
  })
  expect(left).toHaveBeenCalledExactlyOnceWith('the call was cancelled: cancelled')
  const said = parent.said.length
  await turn()
  expect(parent.said.filter(({ t }) => t === 'progress')).toEqual([])
  expect(parent.said).toHaveLength(said)
})

test('a function that reacts to the signal ends the call when it ends', async () => {
  const { parent } = start({
    work: () =>
      new Promise((_, reject) =>
        getContext().signal.addEventListener('abort', () =>
          setTimeout(reject, 10, getContext().signal.reason),
        ),
      ),
  })
  const call = parent.call('work')
  await parent.hear('started')
  parent.say({ t: 'cancel', call: call.number, reason: 'timed-out' })
  expect(await caught(call)).toMatchObject({ code: 'TIMEOUT' })
})

test('a function that ignores the signal is waited for a second and no longer', async () => {
  let finish: (result: string) => void
  const { parent, clock } = start({ work: () => new Promise((done) => (finish = done)) })
  const call = parent.call('work')
  await parent.hear('started')
  parent.say({ t: 'cancel', call: call.number, reason: 'cancelled' })
  await turn()
  expect(parent.said.some(({ t }) => t === 'failed')).toBe(false)
  clock.advance(1_000)
  expect(await caught(call)).toMatchObject({ code: 'CANCELLED' })
  finish!('late result')
  await turn()
  expect(parent.said.filter(({ t }) => t === 'done')).toEqual([])
})

test('a call that is cancelled before its turn does not run', async () => {
  const body = vi.fn()
  const { parent } = start({ body })
  const call = parent.call('body')
  parent.say({ t: 'cancel', call: call.number, reason: 'cancelled' })
  expect(await caught(call)).toMatchObject({ code: 'CANCELLED' })
  expect(body).not.toHaveBeenCalled()
})

test('errors keep name, code, data, cause and stack', async () => {
  const { parent } = start({
    fail() {
      throw Object.assign(new RangeError('too far', { cause: new Error('inner') }), {
        code: 'MINE',
        data: { at: 5 },
      })
    },
  })
  const error = await caught(parent.call('fail'))
  expect(error).toBeInstanceOf(RangeError)
  expect(error).toMatchObject({
    message: 'too far',
    code: 'MINE',
    data: { at: 5 },
    cause: { message: 'inner' },
  })
  expect(error.stack).toContain('serve.test.ts')
})

test('methods of a class: one instance for equal constructor arguments, disposed when there are too many', async () => {
  const disposed: string[] = []
  class Model {
    calls = 0
    constructor(readonly name: string) {}
    async count() {
      return `${this.name} ${++this.calls}`
    }
    *letters() {
      yield* this.name
    }
    _hidden() {}
    [Symbol.dispose]() {
      disposed.push(this.name)
    }
  }
  const { parent } = start(
    { Model },
    {},
    { ...classShape('count', 'letters', '_hidden', 'toString'), instances: 2 },
  )
  const count = (name: string) => parent.call('Model', [], method('count', [], [name]))
  expect([await count('a'), await count('a'), await count('b'), await count('a'), await count('c')]).toEqual([
    'a 1',
    'a 2',
    'b 1',
    'a 3',
    'c 1',
  ])
  expect(disposed).toEqual(['b'])
  await parent.call('Model', [], method('letters', [], ['ab']))
  expect(parent.said.filter(({ t }) => t === 'item')).toMatchObject([{ text: '"a"' }, { text: '"b"' }])
  for (const name of ['_hidden', 'toString']) {
    const error = await caught(parent.call('Model', [], method(name)))
    expect(error).toMatchObject({ code: 'BAD_INPUT', hint: 'call one of: count, letters' })
  }
})

test('setup runs once before the first call, is shared by its slot, and has a smaller context', async () => {
  const setup = vi.fn(async () => {
    const { endpoint, log, signal } = getContext()
    log('loading')
    await turn()
    return { endpoint, aborted: signal.aborted }
  })
  const { parent } = start(
    {
      one: (input: string, state: object) => ({ input, ...state }),
      two: (_: unknown, state: object) => state,
    },
    { all: { setup } },
  )
  const more = { setup: 'm.ts#setup' }
  const calls = [
    parent.call('one', ['a'], more),
    parent.call('one', ['b'], more),
    parent.call('two', [], more),
  ]
  expect(await Promise.all(calls)).toEqual([
    { input: 'a', endpoint: 'test', aborted: false },
    { input: 'b', endpoint: 'test', aborted: false },
    { endpoint: 'test', aborted: false },
  ])
  expect(setup).toHaveBeenCalledOnce()
  expect(parent.output(null)).toBe('loading\n')
  const asked = parent.said.filter(({ t }) => t === 'request')
  expect(asked).toMatchObject([{ name: 'setupKey', data: ['one'] }])
})

test('a setup that throws fails that call; the next call runs it again', async () => {
  let tries = 0
  const setup = () => {
    if (++tries === 1) throw new Error('no model')
    return getContext().jobId
  }
  const { parent } = start({ one: () => 1 }, { all: { setup } })
  expect(await caught(parent.call('one', [], { setup: 's' }))).toMatchObject({
    code: 'SETUP_FAILED',
    message: 'setup of "test" threw: no model',
    cause: { message: 'no model' },
  })
  expect(await caught(parent.call('one', [], { setup: 's' }))).toMatchObject({
    code: 'SETUP_FAILED',
    cause: { code: 'NO_CONTEXT', message: expect.stringContaining('jobId') },
  })
})

test('after an edit the state stays while its key is the same; else it is disposed when idle, then made anew', async () => {
  const happened: string[] = []
  let made = 0
  const setup = () => {
    const state = `state ${++made}`
    happened.push(`made ${state}`)
    return { state, dispose: () => happened.push(`disposed ${state}`) }
  }
  let finish = () => {}
  const { parent } = start(
    {
      read: (_: unknown, { state }: { state: string }) => state,
      hold: (_: unknown, { state }: { state: string }) => new Promise((done) => (finish = () => done(state))),
    },
    { all: { setup } },
    { setup: 's' },
  )
  expect(await parent.call('read')).toBe('state 1')
  parent.say({ t: 'invalidate', files: ['/a.ts'] })
  expect(await parent.call('read')).toBe('state 1')
  const hold = parent.call('hold')
  await vi.waitFor(() => expect(parent.said.filter(({ t }) => t === 'started')).toHaveLength(3))
  parent.answers.setupKey = () => 'v2'
  parent.say({ t: 'invalidate', files: ['/a.ts'] })
  const next = parent.call('read')
  await turn()
  expect(happened).toEqual(['made state 1'])
  finish()
  expect(await hold).toBe('state 1')
  expect(await next).toBe('state 2')
  expect(happened).toEqual(['made state 1', 'disposed state 1', 'made state 2'])
})

test('a function whose asker is gone asks for its own key', async () => {
  const { parent } = start({ one: () => 1, two: () => 2 }, { all: { setup: () => 1 } }, { setup: 's' })
  await parent.call('one')
  parent.answers.setupKey = (id: string) => (id === 'one' ? '' : 'v1')
  parent.say({ t: 'invalidate', files: [] })
  await parent.call('two')
  expect(parent.said.filter(({ t }) => t === 'request')).toMatchObject([
    { data: ['one'] },
    { data: ['one'] },
    { data: ['two'] },
  ])
})

test('when the key cannot be told the call fails, and the next one asks again', async () => {
  const { parent } = start({ one: () => 1 }, { all: { setup: () => 1 } }, { setup: 's' })
  parent.answers.setupKey = () => {
    throw Object.assign(new Error('setup.ts does not parse'), { code: 'SYNTAX_ERROR' })
  }
  expect(await caught(parent.call('one'))).toMatchObject({ code: 'SYNTAX_ERROR' })
  parent.answers.setupKey = () => 'v1'
  expect(await parent.call('one')).toBe(1)
})

test('code that changes while a call is being prepared is loaded again', async () => {
  let version = 1
  const { parent, load } = start(
    { one: (_: unknown, state: number) => state },
    { all: { setup: () => version } },
    { setup: 's' },
  )
  parent.answers.setupKey = () => {
    if (version === 1) parent.say({ t: 'invalidate', files: [] })
    return `v${version++}`
  }
  expect(await parent.call('one')).toBe(3)
  expect(load).toHaveBeenCalledTimes(2)
})

test('warm runs setup and nothing else', async () => {
  const setup = vi.fn()
  const one = vi.fn()
  const { parent } = start({ one, plain: one }, { one: { setup } })
  parent.say({ t: 'warm', call: 7, fn: 'one', module: '/main.ts', setup: 's', endpoint: 'test' })
  expect(await parent.hear('done')).toMatchObject({ call: 7 })
  parent.say({ t: 'warm', call: 8, fn: 'plain', module: '/main.ts', setup: null, endpoint: 'test' })
  expect(await parent.hear('done', ({ call }) => call === 8)).toBeTruthy()
  expect(setup).toHaveBeenCalledOnce()
  expect(one).not.toHaveBeenCalled()
})

test('invalidate names the files to the loader', async () => {
  const { parent, invalidate } = start({ one: () => 1 })
  parent.say({ t: 'invalidate', files: ['/too-early.ts'] })
  await parent.call('one')
  parent.say({ t: 'invalidate', files: ['/a.ts'] })
  await parent.call('one')
  expect(invalidate.mock.calls).toEqual(
    [[['/too-early.ts']], [['/a.ts']]].slice(invalidate.mock.calls.length === 1 ? 1 : 0),
  )
})

test('a loader that cannot be made fails the calls', async () => {
  const pair = createPair()
  const parent = createParent(pair.wire)
  ends.push(
    serveChannel(pair.channel, () => Promise.reject(new Error('vite is missing')), {
      clock: createTestClock(),
    }),
  )
  parent.say({ t: 'start', root: '/', endpoint: 'test', unnamed: [] })
  expect(await caught(parent.call('one'))).toMatchObject({ message: 'vite is missing' })
  expect(parent.said.some(({ t }) => t === 'ready')).toBe(false)
})

test('the loop beats each 500 ms', async () => {
  const { parent, clock } = start({})
  await parent.hear('ready')
  clock.advance(1_600)
  await turn()
  expect(parent.said.filter(({ t }) => t === 'beat')).toMatchObject([{ turn: 1 }, { turn: 2 }, { turn: 3 }])
})

test('when the channel closes signals abort, states and instances are disposed, and the streams are given back', async () => {
  const dispose = vi.fn()
  const aborted = vi.fn()
  class Model {
    async stay() {
      const { signal } = getContext()
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()))
      aborted(signal.reason.code)
    }
    dispose = dispose
  }
  const setup = () => ({ dispose })
  const { parent, end, pair, streams, printed } = start(
    { Model },
    { all: { setup } },
    { ...classShape('stay'), setup: 's' },
  )
  void parent.call('Model', [], method('stay')).catch(() => {})
  await parent.hear('started')
  pair.close()
  await end()
  await turn()
  expect(aborted).toHaveBeenCalledWith('CANCELLED')
  expect(dispose).toHaveBeenCalledTimes(2)
  streams.stdout.write('free again')
  expect(printed).toEqual(['free again'])
})

test('what led to a call shows in what it calls, and its caller may have less time than the queue gives', async () => {
  const { parent, clock } = start({
    who: () => ({ ...currentCaller(), signal: 'left out' }),
    wait: () =>
      new Promise((_, end) =>
        getContext().signal.addEventListener('abort', () => end(getContext().signal.reason)),
      ),
  })
  const soon = clock.now() + 5_000
  const led = (header: object): Partial<LocalCall> => ({
    deadline: clock.now() + 60_000,
    input: { args: [], 'flash:call': { v: 1, fn: 'who', ...header } },
  })
  const own = { endpoint: 'test', signal: 'left out' }
  expect(await parent.call('who', [], led({ hops: 3, deadline: soon }))).toEqual({
    ...own,
    hops: 3,
    deadline: soon,
  })
  expect(await parent.call('who', [], led({ deadline: 9e15 }))).toMatchObject({
    hops: 0,
    deadline: clock.now() + 60_000,
  })
  expect(await parent.call('who', [], { ...led({ deadline: 9e15 }), deadline: null })).toMatchObject({
    deadline: 9e15,
  })
  const late = caught(parent.call('wait', [], led({ deadline: soon })))
  await turn()
  clock.advance(5_000)
  expect(await late).toMatchObject({ code: 'TIMEOUT' })
})
