import { createTestClock, DEADLINE_HEADER } from '@flash/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { contextStorage } from '../execute/context.ts'
import { createDeferred } from '../local/session.ts'
import { createEndpoint, type TestEndpoint } from './testing.ts'

let clock: ReturnType<typeof createTestClock>
let endpoint: TestEndpoint
beforeEach(async () => {
  clock = createTestClock()
  endpoint = await createEndpoint({ executionTimeoutMs: 5_000 }, { clock })
})
afterEach(() => endpoint.close())

const ask = (path: string) => fetch(endpoint.url + path)
const signalHere = () => contextStorage().getStore()!.signal

describe('executionTimeoutMs', () => {
  test('a handler that takes longer is aborted and answered for, and one that is in time is not', async () => {
    const [started, finish] = [createDeferred<AbortSignal>(), createDeferred<void>()]
    const cancelled = vi.fn()
    endpoint.route('GET', '/slow', async () => {
      started.resolve(signalHere())
      await finish.promise
      return new ReadableStream({ cancel: cancelled })
    })
    endpoint.route('GET', '/quick', () => 'in time')
    const answer = ask('/slow')
    const signal = await started.promise
    clock.advance(4_999)
    expect(signal.aborted).toBe(false)
    expect(await (await ask('/quick')).json()).toBe('in time')
    clock.advance(1)
    const late = await answer
    expect([late.status, late.headers.get('connection')]).toEqual([504, 'close'])
    expect(await late.json()).toMatchObject({
      code: 'TIMEOUT',
      message: 'the request took longer than the 5000 ms that it may take',
    })
    expect(signal.reason).toMatchObject({ code: 'TIMEOUT' })
    finish.resolve()
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledTimes(1))
    expect(endpoint.written.stderr).toBe('')
  })

  test('what a handler throws because it is over is nobody’s business', async () => {
    const [started, ended] = [createDeferred<void>(), createDeferred<void>()]
    endpoint.route('GET', '/', async () => {
      const signal = signalHere()
      started.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      setImmediate(ended.resolve)
      throw new Error('stopped')
    })
    const answer = ask('/')
    await started.promise
    clock.advance(5_000)
    expect((await answer).status).toBe(504)
    await ended.promise
    expect(endpoint.written.stderr).toBe('')
  })

  test('an answer that is on its way breaks off', async () => {
    const aborted = createDeferred<unknown>()
    endpoint.route('GET', '/items', async function* () {
      const signal = signalHere()
      yield 1
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted.resolve(signal.reason)
    })
    const reader = (await ask('/items')).body!.getReader()
    await reader.read()
    clock.advance(5_000)
    await expect(reader.read()).rejects.toThrow()
    expect(await aborted.promise).toMatchObject({ code: 'TIMEOUT' })
  })

  test('of web apps too, and ten minutes where nothing is said', async () => {
    const started = createDeferred<void>()
    const web = {
      fetch({ signal }: Request) {
        started.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    }
    endpoint.web(web, {})
    const answer = ask('/')
    await started.promise
    const isThere = vi.fn()
    void answer.then(isThere)
    clock.advance(599_999)
    await new Promise(setImmediate)
    expect(isThere).not.toHaveBeenCalled()
    clock.advance(1)
    expect((await answer).status).toBe(504)
  })
})

describe('a handler that never ends', () => {
  test('is not waited for at the end', async () => {
    const started = createDeferred<void>()
    endpoint.route('GET', '/never', () => {
      started.resolve()
      return new Promise(() => {})
    })
    const answer = ask('/never')
    await started.promise
    clock.advance(5_000)
    expect((await answer).status).toBe(504)
    expect(await endpoint.server.close()).toBe(0)
  })
})

describe('the deadline of the caller', () => {
  const askUntil = (path: string, leftMs: number | string) => {
    const deadline = typeof leftMs === 'string' ? leftMs : `${clock.now() + leftMs}`
    return fetch(endpoint.url + path, { headers: { [DEADLINE_HEADER]: deadline } })
  }
  const tellDeadline = () => contextStorage().getStore()!.deadline! - clock.now()

  test('is told with that of the endpoint: the earlier one', async () => {
    endpoint.route('GET', '/', tellDeadline)
    endpoint.web({ fetch: () => Response.json(tellDeadline()) }, { executionTimeoutMs: 7_000 })
    expect(await (await ask('/')).json()).toBe(5_000)
    expect(await (await ask('/web')).json()).toBe(7_000)
    expect(await (await askUntil('/', 2_000)).json()).toBe(2_000)
    expect(await (await askUntil('/', 20_000)).json()).toBe(5_000)
    expect(await (await askUntil('/', 'soon')).json()).toBe(5_000)
  })

  test('ends the handler', async () => {
    const started = createDeferred<AbortSignal>()
    endpoint.route('GET', '/', () => {
      started.resolve(signalHere())
      return new Promise(() => {})
    })
    const answer = askUntil('/', 2_000)
    const signal = await started.promise
    clock.advance(1_999)
    expect(signal.aborted).toBe(false)
    clock.advance(1)
    const late = await answer
    expect([late.status, await late.json()]).toMatchObject([
      504,
      { code: 'TIMEOUT', message: 'the request was not answered before the deadline of its caller' },
    ])
    expect(signal.reason).toMatchObject({ code: 'TIMEOUT' })
  })

  test('that is over lets nobody wait', async () => {
    endpoint.route('GET', '/', () => new Promise(() => {}))
    const answer = askUntil('/', -1)
    await vi.waitFor(async () => {
      clock.advance(0)
      expect((await Promise.race([answer, undefined]))?.status).toBe(504)
    })
  })

  test('does not break off what is on its way', async () => {
    const [second, aborted] = [createDeferred<void>(), createDeferred<void>()]
    endpoint.route('GET', '/', async function* () {
      signalHere().addEventListener('abort', () => aborted.resolve())
      yield 'first'
      await second.promise
      yield tellDeadline()
      await aborted.promise
    })
    const reader = (await askUntil('/', 2_000)).body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('first')
    clock.advance(2_000)
    second.resolve()
    expect((await reader.read()).value).toContain('3000')
    clock.advance(3_000)
    await expect(reader.read()).rejects.toThrow()
  })
})

describe('the log', () => {
  test('says at which request something was thrown', async () => {
    let id = ''
    endpoint.route('POST', '/orders/:id', () => {
      id = contextStorage().getStore()!.jobId
      throw new Error('no tea')
    })
    await fetch(`${endpoint.url}/orders/7?key=secret`, { method: 'POST' })
    expect(id).toMatch(/^[\da-f-]{36}$/)
    expect(endpoint.written.stderr).toMatch(
      new RegExp(`^POST /orders/7, request ${id}:\nError: no tea\n +at `),
    )
  })

  test('says what is ours in a sentence', async () => {
    const schema = {
      '~standard': { validate: () => ({ issues: [{ path: ['n'], message: 'no number' }] }) },
    }
    endpoint.route('GET', '/', () => ({ n: 'x' }), { response: schema })
    expect((await ask('/')).status).toBe(500)
    expect(endpoint.written.stderr).toMatch(
      /^GET \/, request [\da-f-]{36}:\nOUTPUT_INVALID: n: no number\n {2}return what the output schema describes\n$/,
    )
  })

  test('keeps why a setup failed', async () => {
    await endpoint.close()
    const setup = () => {
      throw new RangeError('no model')
    }
    endpoint = await createEndpoint({ setup })
    endpoint.route('GET', '/', () => 1)
    expect((await ask('/')).status).toBe(503)
    expect(endpoint.written.stderr).toMatch(
      /SETUP_FAILED: setup of "shop" threw: no model\n[^]*RangeError: no model\n +at /,
    )
  })
})
