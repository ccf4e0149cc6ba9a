import { createQueue, type LocalEndpoint, type LocalSubmission, STREAMED } from '@flash/emulator'
import { createTestClock, FrameType, type Message, toWireError, writeFailure } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createLocalBackend, type LocalFact } from './backend.ts'
import { jobError } from './job.ts'

const read: LocalFact = {
  id: 'read',
  endpoint: 'ocr',
  exportPath: 'read',
  kind: 'function',
  callables: [{ name: 'read', kind: 'function', params: [{ name: 'text', kind: 'plain', optional: false }] }],
  setup: null,
  hasInput: false,
}
const model: LocalFact = {
  id: 'model',
  endpoint: 'ocr',
  exportPath: 'Model',
  kind: 'class',
  callables: [
    { name: 'load', kind: 'function', params: null },
    { name: 'ask', kind: 'function', params: null },
  ],
  setup: null,
  hasInput: false,
}

const message = (text: string, type: number = FrameType.value): Message => ({
  type,
  rich: false,
  text,
  parts: [],
})

function setUp(found = true) {
  const clock = createTestClock()
  const queue = createQueue({ clock, executionTimeoutMs: 5_000 })
  const submissions: LocalSubmission<LocalFact>[] = []
  const endpoint = {
    name: 'ocr',
    queue,
    executionTimeoutMs: 5_000,
    submit(submission) {
      submissions.push(submission)
      const { executionTimeoutMs } = submission
      return queue.submit({ input: submission.input, policy: { executionTimeoutMs } })
    },
    warm: vi.fn(async () => {}),
  } as Partial<LocalEndpoint<LocalFact>> as LocalEndpoint<LocalFact>
  const facts = new Map([read, model].map((fact) => [fact.id, fact]))
  const rescan = vi.fn(async () => {
    facts.set('late', { ...read, id: 'late' })
    return true
  })
  const backend = createLocalBackend({
    function: (id) => facts.get(id) ?? null,
    rescan,
    endpoint: async () => endpoint,
    find: (name) => (found && name === 'ocr' ? endpoint : undefined),
    all: () => [endpoint],
    maxBodyBytes: 1_000,
  })
  const listen = async (args: unknown[] = ['a']) => {
    const job = await backend.submit('read', { args })
    const said: Message[] = []
    const leave = job.listen(0, (word) => said.push(word))
    queue.take('w')
    return { job, said, leave, words: () => said.map(({ type, text }) => [type, text && JSON.parse(text)]) }
  }
  return { backend, queue, clock, endpoint, submissions, rescan, listen }
}

describe('a function', () => {
  test('is known with its endpoint and its limit', async () => {
    const { backend, rescan } = setUp()
    expect(await backend.find('read')).toEqual({ endpoint: 'ocr', maxBodyBytes: 1_000 })
    expect(rescan).not.toHaveBeenCalled()
  })

  test('that is not known is looked for once more', async () => {
    const { backend, rescan } = setUp()
    expect(await backend.find('late')).toMatchObject({ endpoint: 'ocr' })
    expect(await backend.find('never')).toBeNull()
    rescan.mockResolvedValue(false)
    expect(await backend.find('never')).toBeNull()
  })

  test('that went away meanwhile is unknown', async () => {
    const { backend } = setUp()
    const unknown = { code: 'UNKNOWN_FUNCTION', message: expect.stringContaining('gone') }
    await expect(backend.submit('gone', { args: [] })).rejects.toMatchObject(unknown)
    await expect(backend.warm('gone', { args: [] })).rejects.toMatchObject(unknown)
  })
})

describe('a call', () => {
  test('is submitted by names, with the options that hold for the queue', async () => {
    const { backend, submissions } = setUp()
    await backend.submit('read', {
      args: ['a'],
      run: true,
      timeoutMs: 1,
      warm: false,
      s3Config: {},
      ttlMs: 20_000,
      lowPriority: true,
      webhook: 'http://w',
      idempotencyKey: 'k',
      executionTimeoutMs: 9_000,
    })
    expect(submissions).toEqual([
      {
        fact: read,
        input: { text: 'a', 'flash:call': { v: 1, fn: 'read', new: undefined } },
        parts: [],
        foreign: false,
        kind: 'run',
        ttlMs: 20_000,
        lowPriority: true,
        webhook: 'http://w',
        idempotencyKey: 'k',
        executionTimeoutMs: 9_000,
      },
    ])
  })

  test('of a method carries the constructor arguments, also when there are none', async () => {
    const { backend, submissions } = setUp()
    await backend.submit('model', { args: [1], new: ['small'], fn: 'ask' })
    await backend.submit('model', { args: [], fn: 'load' })
    expect(submissions.map(({ input }) => input['flash:call'])).toEqual([
      { v: 1, fn: 'ask', new: ['small'] },
      { v: 1, fn: 'load', new: [] },
    ])
  })

  for (const fn of ['train', undefined]) {
    test(`of ${fn ? 'an unknown method' : 'no method'} lists those there are`, async () => {
      const { backend } = setUp()
      await expect(backend.submit('model', { args: [], fn })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        hint: 'it has: load, ask',
      })
    })
  }

  test('may take its time in the queue and the time it may run', async () => {
    const { backend } = setUp()
    vi.spyOn(Date, 'now').mockReturnValue(1_000)
    expect((await backend.submit('read', { args: ['a'] })).deadline).toBe(1_000 + 5_000 + 600_000)
    const longer = await backend.submit('read', { args: ['a'], executionTimeoutMs: 7_000 })
    expect(longer.deadline).toBe(1_000 + 7_000 + 600_000)
    vi.restoreAllMocks()
  })

  test('for setup alone warms the endpoint', async () => {
    const { backend, endpoint } = setUp()
    await backend.warm('read', { args: [] })
    expect(endpoint.warm).toHaveBeenCalledWith(read)
  })
})

describe('a job', () => {
  test('says what happens to it, and its result last', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    queue.progress(job.id, 'w', message('5', FrameType.progress))
    queue.item(job.id, 'w', message('"i"', FrameType.item))
    queue.log(job.id, 'w', { stream: 'stdout', text: 'hello\n' })
    queue.complete(job.id, 'w', { output: message('"result"') })
    expect(words()).toEqual([
      [FrameType.status, expect.objectContaining({ status: 'IN_QUEUE' })],
      [FrameType.status, expect.objectContaining({ status: 'IN_PROGRESS' })],
      [FrameType.progress, 5],
      [FrameType.item, 'i'],
      [FrameType.log, { stream: 'stdout', text: 'hello\n' }],
      [FrameType.value, 'result'],
    ])
    expect(job.status()).toEqual({
      id: job.id,
      status: 'COMPLETED',
      delayTime: 0,
      executionTime: 0,
      workerId: 'w',
    })
  })

  test('of a generator ends without a value', async () => {
    const { listen, queue } = setUp()
    const { job, said } = await listen()
    queue.complete(job.id, 'w', { output: STREAMED })
    expect(said.at(-1)).toEqual({ type: FrameType.end, rich: false, text: '', parts: [] })
  })

  test('that failed says why', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    const error = writeFailure(toWireError(new TypeError('no'), { stack: false }))
    queue.complete(job.id, 'w', { error })
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ name: 'TypeError' })])
    expect(job.status()).not.toHaveProperty('error')
  })

  test('that ran too long names its limit and its endpoint', async () => {
    const { listen, clock } = setUp()
    const { words } = await listen()
    clock.advance(5_000)
    expect(words().at(-1)).toEqual([
      FrameType.error,
      expect.objectContaining({
        code: 'TIMEOUT',
        message: 'endpoint "ocr": the job ran longer than its execution timeout of 5000 ms',
        hint: expect.stringContaining('executionTimeoutMs'),
      }),
    ])
  })

  test('can be cancelled', async () => {
    const { listen } = setUp()
    const { job, words } = await listen()
    job.cancel('the caller cancelled')
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ code: 'CANCELLED' })])
  })

  test('that is gone says so to who still listens, and has no status', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    queue.close()
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ code: 'JOB_NOT_FOUND' })])
    expect(job.status()).toEqual({ id: job.id, status: 'FAILED' })
    expect(job.listen(0, () => {})).toBeTypeOf('function')
  })

  test('is found again by endpoint and id, and by its id alone', async () => {
    const { backend } = setUp()
    const { id } = await backend.submit('read', { args: ['a'] })
    expect(backend.job('ocr', id)).toMatchObject({ id, endpoint: 'ocr' })
    expect(backend.jobById(id)).toMatchObject({ id, endpoint: 'ocr' })
    expect(backend.job('ocr', 'nope')).toBeNull()
    expect(backend.job('other', id)).toBeNull()
    expect(backend.jobById('nope')).toBeNull()
  })
})

test('a failure without words is still one', () => {
  expect(jobError('ocr', { id: 'j', status: 'FAILED' })).toMatchObject({ name: 'RemoteError' })
})
