import { AppError, createTestClock, type LocalServe, type ToWorker } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type BalancedFunction, createBalancedEndpoint } from './balanced.ts'
import type { EndpointContext, EndpointSettings } from './context.ts'
import { createFakeWorker, type FakeWorker } from './testing.ts'

const resize: BalancedFunction = {
  id: 'resize',
  path: 'src/resize.ts',
  exportPath: 'api.POST /resize',
  kind: 'route',
  route: { method: 'POST', path: '/resize', schemas: [] },
  setup: null,
}
const { path: _path, ...served } = resize
const site: BalancedFunction = {
  id: 'site',
  path: 'src/site.ts',
  exportPath: 'site',
  kind: 'web',
  setup: null,
}

const settingsOf = (more: Partial<EndpointSettings> = {}, workers = 1): EndpointSettings => ({
  name: 'images',
  config: {
    executionTimeoutMs: 10_000,
    maxConcurrency: 1,
    instances: 1,
    dev: { target: null, workers, keepWarm: false },
  },
  env: { A: '1' },
  unnamed: [],
  ...more,
})

let ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const turn = () => new Promise((resolve) => setImmediate(resolve))
const isServe = (message: ToWorker): message is LocalServe => message.t === 'serve'
const servesOf = ({ heard }: FakeWorker) => heard.filter(isServe)

function setUp(settings = settingsOf(), more: Partial<EndpointContext<BalancedFunction>> = {}) {
  const clock = createTestClock()
  const workers: FakeWorker[] = []
  const endpoint = createBalancedEndpoint(settings, {
    clock,
    root: '/app',
    launch(env) {
      const worker = createFakeWorker(env)
      workers.push(worker)
      return worker.launched
    },
    moduleOf: ({ id }) => `/src/${id}.ts`,
    answer: async () => null,
    onOutput() {},
    ...more,
  })
  ends.push(endpoint.close)
  endpoint.serve([resize])
  const seat = (signal = new AbortController().signal) => {
    const found = endpoint.seat({ signal })
    // It may be looked at only later.
    found.catch(() => {})
    return found
  }
  /** Says that the worker's server is open, to the last `serve` it heard. */
  const open = async (worker: FakeWorker, port = 41_234) => {
    worker.say({ t: 'ready' })
    worker.say({
      t: 'done',
      call: servesOf(worker).at(-1)!.call,
      rich: false,
      text: JSON.stringify({ port }),
    })
    await turn()
  }
  const ready = async () => {
    const waiting = seat()
    await open(workers[0]!)
    return waiting
  }
  return { clock, workers, endpoint, seat, open, ready }
}

describe('a worker', () => {
  test('is started by the first request and told what it answers', async () => {
    const { workers, endpoint, seat, open } = setUp()
    expect(workers).toHaveLength(0)
    const first = seat()
    const second = seat()
    const [worker] = workers as [FakeWorker]
    expect(workers).toHaveLength(1)
    expect(worker.env).toEqual({ A: '1' })
    expect(worker.heard).toEqual([
      { t: 'start', root: '/app', endpoint: 'images', unnamed: [] },
      {
        t: 'serve',
        call: 1,
        endpoint: 'images',
        token: expect.stringMatching(/^[\w-]{32}$/),
        functions: [{ ...served, module: '/src/resize.ts' }],
      },
    ])
    await open(worker)
    const { token } = servesOf(worker)[0]!
    expect(await first).toMatchObject({
      workerId: 'local-1',
      url: 'http://127.0.0.1:41234',
      headers: { 'x-flash-worker-token': token },
    })
    await second
    expect(endpoint.workers()).toEqual({ idle: 0, ready: 0, running: 1 })
    ;(await first).release()
    expect(worker.held).toBe(true)
    ;(await second).release()
    ;(await second).release()
    expect(worker.held).toBe(false)
    expect(endpoint.workers()).toEqual({ idle: 1, ready: 1, running: 0 })
  })

  test('learns what changed before the next request, and only then', async () => {
    const { workers, endpoint, seat, open, ready } = setUp()
    await ready()
    endpoint.serve([{ ...resize }])
    await seat()
    expect(servesOf(workers[0]!)).toHaveLength(1)
    endpoint.serve([resize, site])
    expect(servesOf(workers[0]!)).toHaveLength(1)
    const waiting = seat()
    expect(servesOf(workers[0]!)[1]!.functions.map(({ id }) => id)).toEqual(['resize', 'site'])
    await open(workers[0]!, 5)
    expect((await waiting).url).toBe('http://127.0.0.1:5')
    expect(workers).toHaveLength(1)
  })

  test('that was told something meanwhile is told again', async () => {
    const { workers, endpoint, seat, open } = setUp()
    const waiting = seat()
    endpoint.serve([site])
    workers[0]!.say({ t: 'failed', call: 1, error: { name: 'Error', message: 'old' } })
    await turn()
    expect(servesOf(workers[0]!)[1]!.functions).toHaveLength(1)
    await open(workers[0]!)
    await waiting
  })

  test('hears which files changed', async () => {
    const { workers, endpoint, ready } = setUp()
    endpoint.invalidate(['/app/a.ts'])
    await ready()
    endpoint.invalidate(['/app/b.ts'])
    expect(workers[0]!.heard.at(-1)).toEqual({ t: 'invalidate', files: ['/app/b.ts'] })
  })

  test('gets another one beside it while each is busy, as far as allowed', async () => {
    const { workers, seat, open, ready } = setUp(settingsOf({}, 2))
    await ready()
    expect(workers).toHaveLength(1)
    const second = await seat()
    expect(second.workerId).toBe('local-1')
    expect(workers).toHaveLength(2)
    await open(workers[1]!, 2)
    expect((await seat()).workerId).toBe('local-2')
    expect((await seat()).workerId).toBe('local-2')
    second.release()
    expect((await seat()).workerId).toBe('local-1')
    expect(workers).toHaveLength(2)
  })
})

describe('a request', () => {
  test('that nobody waits for any more is forgotten', async () => {
    const { workers, seat, open, endpoint } = setUp()
    const leaving = new AbortController()
    const waiting = seat(leaving.signal)
    const reason = new Error('left')
    leaving.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(seat(leaving.signal)).rejects.toBe(reason)
    await open(workers[0]!)
    expect(endpoint.workers().running).toBe(0)
  })

  test('waits two minutes, and is told what has not finished loading', async () => {
    const { clock, seat, workers, endpoint } = setUp()
    endpoint.serve([resize, site])
    const waiting = seat()
    clock.advance(119_999)
    await turn()
    const outcome = vi.fn()
    waiting.then(outcome, outcome)
    await turn()
    expect(outcome).not.toHaveBeenCalled()
    clock.advance(1)
    await expect(waiting).rejects.toMatchObject({
      code: 'MODULE_FAILED',
      message: expect.stringContaining('src/resize.ts, src/site.ts did not finish loading'),
    })
    expect(workers).toHaveLength(1)
  })

  test('has the time of the endpoint, and no more than the platform gives', async () => {
    const { ready } = setUp()
    expect((await ready()).limitMs).toBe(10_000)
    const long = setUp(settingsOf({ config: { ...settingsOf().config, executionTimeoutMs: 600_000 } }))
    expect((await long.ready()).limitMs).toBe(330_000)
  })

  test('whose time is over is told what would help', async () => {
    const taken = await setUp().ready()
    expect(taken.expire(10_000)).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('"images" took longer than 10000 ms'),
      hint: expect.stringContaining('raise executionTimeoutMs'),
    })
    expect(taken.expire(500).hint).not.toContain('executionTimeoutMs')
  })

  test('is told at once what the code fails with, and the next one tries again', async () => {
    const { workers, seat, open } = setUp()
    const waiting = [seat(), seat()]
    const at = { file: 'src/images.ts', line: 3, column: 1 }
    workers[0]!.say({
      t: 'failed',
      call: 1,
      error: {
        name: 'AppError',
        code: 'MODULE_FAILED',
        message: 'no',
        hint: 'correct it',
        data: { at, frame: '> 3 |' },
        cause: { name: 'TypeError', message: 'why' },
      },
    })
    for (const one of waiting) {
      const error = await one.catch((error: unknown) => error)
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({
        code: 'MODULE_FAILED',
        message: 'no',
        hint: 'correct it',
        at,
        frame: '> 3 |',
        cause: expect.any(TypeError),
      })
    }
    const next = seat()
    expect(servesOf(workers[0]!)).toHaveLength(2)
    await open(workers[0]!)
    await next
  })

  test('is told what has no code of ours as a failure while it starts', async () => {
    const { workers, seat } = setUp()
    const waiting = seat()
    workers[0]!.say({ t: 'failed', call: 1, error: { name: 'Error', code: 'OWN', message: 'no', data: 3 } })
    await expect(waiting).rejects.toMatchObject({ code: 'SETUP_FAILED', message: 'no', at: undefined })
  })
})

describe('a worker that ends', () => {
  test('while it starts tells those who wait, and gets no follower before the next request', async () => {
    const { workers, seat } = setUp()
    const waiting = seat()
    workers[0]!.print('stderr', 'boom\n')
    await workers[0]!.end({ code: 3 })
    await expect(waiting).rejects.toMatchObject({
      code: 'WORKER_CRASHED',
      message: expect.stringMatching(/exited with code 3[^]*boom/),
    })
    expect(workers).toHaveLength(1)
    void seat()
    expect(workers).toHaveLength(2)
  })

  test('says what it printed since the request began, and nothing of earlier ones', async () => {
    const { workers, seat, ready } = setUp()
    const first = await ready()
    workers[0]!.print('stderr', 'Error: of the first')
    first.release()
    const second = await seat()
    workers[0]!.print('stderr', 'last words')
    await workers[0]!.end({ code: 1 })
    const { message } = (await second.lost())!
    expect(message).toContain('its last output:\nlast words')
    expect(message).not.toContain('of the first')
  })

  test('is explained by who knows better', async () => {
    const missing = new AppError('BUILD_MISSING', { message: 'gone' })
    const { workers, seat } = setUp(settingsOf(), { explainExit: () => missing })
    const waiting = seat()
    await workers[0]!.end({ code: 1 })
    await expect(waiting).rejects.toMatchObject({ code: 'BUILD_MISSING' })
  })

  test('with requests in flight tells them how, and the next one starts a fresh one', async () => {
    const { workers, seat, ready, open } = setUp()
    const taken = await ready()
    workers[0]!.print('stdout', 'last words')
    await workers[0]!.end({ code: null, signal: 'SIGKILL' })
    expect(await taken.lost()).toMatchObject({
      code: 'WORKER_CRASHED',
      message: expect.stringMatching(/SIGKILL[^]*last words/),
    })
    taken.release()
    const next = seat()
    await open(workers[1]!, 2)
    expect(await next).toMatchObject({ workerId: 'local-2', url: 'http://127.0.0.1:2' })
  })

  test('is not lost while it runs', async () => {
    const { clock, ready } = setUp()
    const lost = (await ready()).lost()
    clock.advance(2_000)
    expect(await lost).toBeNull()
  })
})

describe('a fresh worker', () => {
  test('takes over when variables changed; requests in flight finish on the old one', async () => {
    const { workers, endpoint, seat, open, ready } = setUp()
    const taken = await ready()
    endpoint.configure(settingsOf())
    await seat()
    expect(workers).toHaveLength(1)
    endpoint.configure(settingsOf({ env: { A: '2' } }))
    expect(workers[0]!.killed).toBe(false)
    const next = seat()
    expect(workers[1]!.env).toEqual({ A: '2' })
    await open(workers[1]!)
    expect((await next).workerId).toBe('local-2')
    taken.release()
    expect(endpoint.workers().running).toBe(2)
  })

  test('has the new variables, also for who waited for the old one', async () => {
    const { workers, endpoint, seat, open } = setUp()
    const waiting = seat()
    endpoint.configure(settingsOf({ env: { A: '2' } }))
    expect(workers.map(({ env }) => env)).toEqual([{ A: '1' }, { A: '2' }])
    await open(workers[1]!)
    expect((await waiting).workerId).toBe('local-2')
  })

  test('takes over from one that is retired, also while that one starts', async () => {
    const { workers, endpoint, seat, open } = setUp()
    const waiting = seat()
    endpoint.retire()
    expect(workers).toHaveLength(2)
    workers[0]!.say({ t: 'failed', call: 1, error: { name: 'Error', message: 'old' } })
    await turn()
    expect(workers[0]!.killed).toBe(true)
    await open(workers[1]!)
    expect((await waiting).workerId).toBe('local-2')
  })

  test('takes over from one that asked for it', async () => {
    const { workers, seat, open, ready } = setUp()
    const taken = await ready()
    workers[0]!.say({ t: 'refresh', call: 0 })
    const next = seat()
    await open(workers[1]!)
    await next
    expect(workers[0]!.killed).toBe(false)
    taken.release()
    expect(workers[0]!.killed).toBe(true)
  })
})

describe('a stuck worker', () => {
  test('gets no new request: another one is started after a second look', async () => {
    const { clock, workers, seat, open, ready } = setUp()
    const taken = await ready()
    clock.advance(2_001)
    const next = seat()
    expect(workers).toHaveLength(1)
    clock.advance(250)
    expect(workers).toHaveLength(2)
    await open(workers[1]!)
    expect((await next).workerId).toBe('local-2')
    expect(workers[0]!.killed).toBe(false)
    taken.release()
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })

  test('that was only not heard goes on', async () => {
    const { clock, workers, seat, ready } = setUp()
    await ready()
    clock.advance(2_001)
    const next = seat()
    workers[0]!.say({ t: 'beat', turn: 1 })
    clock.advance(250)
    expect((await next).workerId).toBe('local-1')
    expect(workers).toHaveLength(1)
  })

  test('is ended when nobody waits for it any more', async () => {
    const { clock, workers, ready } = setUp()
    const taken = await ready()
    taken.release()
    taken.release()
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })

  test('is not looked at again once it is gone', async () => {
    const { clock, workers, ready } = setUp()
    const taken = await ready()
    taken.release()
    await workers[0]!.end()
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(false)
  })

  test('while it starts is ended when its requests are gone', async () => {
    const { clock, workers, seat } = setUp()
    const leaving = new AbortController()
    const waiting = seat(leaving.signal)
    workers[0]!.say({ t: 'ready' })
    leaving.abort()
    await expect(waiting).rejects.toThrow()
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })

  test('is ended with a request whose time is over, whoever else waits for it', async () => {
    const { clock, workers, seat, ready } = setUp()
    const taken = await ready()
    await seat()
    clock.advance(2_001)
    taken.expire(10_000)
    taken.release()
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })

  test('is looked at again when the time of its request is over', async () => {
    const { clock, workers, seat, ready } = setUp()
    const taken = await ready()
    await seat()
    taken.expire(10_000)
    taken.release()
    await turn()
    expect(workers[0]!.killed).toBe(false)
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })

  test('is not ended for a request before the one that keeps it', async () => {
    const { clock, workers, seat, ready } = setUp()
    const taken = await ready()
    await seat()
    taken.expire(10_000)
    taken.release()
    await turn()
    clock.advance(400)
    workers[0]!.say({ t: 'beat', turn: 1 })
    clock.advance(2_100)
    await turn()
    expect(workers[0]!.killed).toBe(false)
  })

  test('that only is slow goes on when the time of its request is over', async () => {
    const { clock, workers, ready } = setUp()
    const taken = await ready()
    taken.expire(10_000)
    taken.release()
    clock.advance(2_000)
    workers[0]!.say({ t: 'beat', turn: 1 })
    clock.advance(500)
    await turn()
    expect(workers[0]!.killed).toBe(false)
  })

  test('is followed by a few only', async () => {
    const { clock, workers, seat, open } = setUp()
    const waiting = seat()
    for (let at = 0; at < 4; at++) {
      const newest = workers.at(-1)!
      newest.launched.kill = () => {}
      await open(newest)
      clock.advance(2_001)
      void seat()
      clock.advance(250)
      await turn()
    }
    await waiting
    expect(workers).toHaveLength(3)
    const last = seat()
    clock.advance(120_000)
    await expect(last).rejects.toMatchObject({ code: 'NO_WORKERS' })
  })
})

describe('a worker that loads its code', () => {
  function setUpLoading() {
    const answer = async () => ({ file: '/app/src/resize.ts', code: '' })
    const { workers, ...rest } = setUp(settingsOf(), { answer })
    const load = async (worker: FakeWorker) => {
      worker.say({ t: 'ready' })
      worker.say({ t: 'request', request: 1, name: 'fetchModule', data: ['/src/resize.ts'] })
      await turn()
    }
    return { workers, load, ...rest }
  }

  test('is given up for another one when that code changes, and not for other code', async () => {
    const { workers, load, endpoint, seat, open } = setUpLoading()
    const waiting = seat()
    await load(workers[0]!)
    endpoint.invalidate(['/app/src/other.ts'])
    expect(workers[0]!.killed).toBe(false)
    endpoint.invalidate(['/app/src/resize.ts'])
    expect(workers[0]!.killed).toBe(true)
    expect(workers).toHaveLength(2)
    await open(workers[1]!)
    expect((await waiting).workerId).toBe('local-2')
  })

  test('is given up also when nobody waits for it any more', async () => {
    const { workers, load, endpoint, seat, clock } = setUpLoading()
    const waiting = seat()
    await load(workers[0]!)
    clock.advance(120_000)
    await expect(waiting).rejects.toMatchObject({ code: 'MODULE_FAILED' })
    endpoint.invalidate(['/app/src/resize.ts'])
    await turn()
    expect(workers[0]!.killed).toBe(true)
    expect(workers).toHaveLength(1)
    void seat()
    expect(workers).toHaveLength(2)
  })

  test('is ended at once when another one takes over', async () => {
    const { workers, load, endpoint, seat } = setUpLoading()
    void seat()
    await load(workers[0]!)
    endpoint.retire()
    expect(workers[0]!.killed).toBe(true)
    expect(workers).toHaveLength(2)
  })

  test('may take long without a word, as long as somebody waits', async () => {
    const { workers, load, seat, open, clock } = setUpLoading()
    const waiting = seat()
    await load(workers[0]!)
    clock.advance(10_000)
    await turn()
    expect(workers).toHaveLength(1)
    expect(workers[0]!.killed).toBe(false)
    await open(workers[0]!)
    expect((await waiting).workerId).toBe('local-1')
  })
})

test('closing ends the workers and refuses those who wait', async () => {
  const { workers, endpoint, seat } = setUp()
  const waiting = seat()
  endpoint.close()
  await expect(waiting).rejects.toMatchObject({
    code: 'NO_WORKERS',
    message: expect.stringMatching('closed'),
  })
  await expect(seat()).rejects.toMatchObject({ code: 'NO_WORKERS' })
  expect(workers[0]!.killed).toBe(true)
  expect(workers).toHaveLength(1)
})
