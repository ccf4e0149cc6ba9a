import { AppError } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { createQueueClient } from './queue.ts'
import {
  address,
  createEagerClock,
  json,
  networkError,
  page,
  type Reply,
  scriptHost,
  type SeenRequest,
} from './testing/scripted-host.ts'
import type { QueueAddress } from './types.ts'

const id = 'job-1-u1'
const input = { text: 'hi', 'flash:call': { v: 1 } } as const
const accepted = json({ id, status: 'IN_QUEUE' })
const completed = { id, status: 'COMPLETED', delayTime: 1, executionTime: 2, workerId: 'w1', output: 42 }
const running = json({ id, status: 'IN_PROGRESS', workerId: 'w1' })

function open(replies: (Reply | ((request: SeenRequest) => Reply))[], more: Partial<QueueAddress> = {}) {
  const host = scriptHost(...replies)
  const clock = createEagerClock()
  const client = createQueueClient({ ...address, ...more }, { fetch: host.fetch, clock, random: () => 0.5 })
  return { ...host, clock, client }
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof AppError)) throw new Error(`no AppError: ${error}`)
  return error
}

/** A host without the waiting form. */
const withoutWaiting = (reply: (request: SeenRequest) => Reply) => (request: SeenRequest) =>
  request.path.startsWith('/status-sync/') ? json({ error: 'not found' }, 404) : reply(request)

describe('submitting', () => {
  test('sends the job with its options and the key, to /run', async () => {
    const { client, requests } = open([accepted])
    const s3Config = { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' }
    const job = { input, policy: { ttl: 10_000 }, webhook: 'https://hook.test/', s3Config }
    expect(await client.submit(job)).toEqual({ id, status: 'IN_QUEUE' })
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/run',
        body: job,
        headers: { authorization: `Bearer ${address.key}`, 'content-type': 'application/json' },
      },
    ])
  })

  test('sends headers of the address, and no key where there is none', async () => {
    const { client, requests } = open([accepted], { headers: { 'X-Flash-App': 'shop' }, key: undefined })
    await client.submit({ input })
    expect(requests[0]!.headers).toMatchObject({ 'X-Flash-App': 'shop' })
    expect(requests[0]!.headers).not.toHaveProperty('authorization')
  })

  for (const [what, bytes, path] of [
    ['up to 10 MB go to /run', 9_999_000, '/run'],
    ['above to /runsync, without waiting for the end', 10_000_001, '/runsync?wait=1000'],
    ['up to 20 MB', 19_999_000, '/runsync?wait=1000'],
  ] as const) {
    test(`by size: ${what}`, async () => {
      const { client, paths } = open([accepted])
      await client.submit({ input: { text: 'x'.repeat(bytes) } })
      expect(paths()).toEqual([path])
    })
  }

  test('more than 20 MB is refused before sending, with both sizes and a way out', async () => {
    const { client, requests } = open([accepted])
    // Three bytes each: bytes count, not characters.
    const error = await failure(client.submit({ input: { text: '€'.repeat(6_700_000) } }))
    expect(error).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      data: { limit: 20_000_000 },
      hint: expect.stringContaining('volume'),
    })
    expect(error.message).toMatch(/"ocr".*201000\d\d bytes.*20000000/)
    expect(requests).toEqual([])
  })

  test('a large job may have ended with the first answer', async () => {
    const { client } = open([json(completed)])
    expect(await client.submit({ input })).toEqual(completed)
  })

  for (const [what, reply] of [
    ['a connection that breaks', networkError('ECONNRESET')],
    ['a connection that breaks without a reason', new TypeError('Failed to fetch')],
    ['500', json({ error: 'oops' }, 500)],
    ['502 of a proxy', page('<html>bad gateway</html>', 502)],
    ['503 with a time to come back', json({ error: 'busy' }, 503, { 'retry-after': '1' })],
    ['408', page('', 408)],
    ['an answer that is cut off', page('{"id":"job-1-u1","sta')],
    ['an answer without a body', page('')],
  ] as [string, Reply][]) {
    test(`is never repeated after ${what}`, async () => {
      const { client, requests } = open([reply, accepted])
      const error = await failure(client.submit({ input }))
      expect(error).toMatchObject({ code: 'SUBMIT_UNKNOWN', hint: expect.stringContaining('twice') })
      expect(error.message).toContain('"ocr"')
      expect(requests).toHaveLength(1)
    })
  }

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']) {
    test(`is tried a second time after ${code}, when nothing can have been received`, async () => {
      const { client, requests } = open([networkError(code), accepted])
      expect(await client.submit({ input })).toMatchObject({ id })
      expect(requests).toHaveLength(2)
    })
  }

  test('is not tried a third time', async () => {
    const { client, requests } = open([networkError('ECONNREFUSED')])
    expect(await failure(client.submit({ input }))).toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringMatching(/ECONNREFUSED.*nothing was sent/),
    })
    expect(requests).toHaveLength(2)
  })

  test('comes back when it was told to, because 429 refuses a job before anybody looks at it', async () => {
    const busy = json({ error: 'too many' }, 429, { 'retry-after': '7' })
    const { client, clock, requests } = open([busy, busy, accepted])
    expect(await client.submit({ input })).toMatchObject({ id })
    expect(requests).toHaveLength(3)
    expect(clock.waits).toEqual([7_000, 7_000])
  })

  for (const [what, seconds, leftMs] of [
    ['in an hour', '3600', undefined],
    ['after the end of the call', '20', 10_000],
  ] as const) {
    test(`does not come back when that is to be ${what}`, async () => {
      const { client, clock, requests } = open([
        json({ error: 'too many' }, 429, { 'retry-after': seconds }),
        accepted,
      ])
      const deadline = leftMs && clock.now() + leftMs
      expect(
        await failure(client.submit({ input: { ...input, 'flash:call': { v: 1, deadline } } })),
      ).toMatchObject({
        code: 'TRANSPORT',
        message: expect.stringContaining(`none for ${seconds} more seconds`),
        data: { status: 429 },
      })
      expect([requests.length, clock.waits]).toEqual([1, []])
    })
  }

  test('does not come back for ever', async () => {
    const { client } = open([json({ error: 'too many' }, 429)])
    expect(await failure(client.submit({ input }))).toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('too many requests'),
    })
  })

  for (const [status, code, message, hint] of [
    [400, 'BAD_REQUEST', /400: .*the reason/, undefined],
    [401, 'ACCOUNT_REFUSED', /401/, /RUNPOD_API_KEY/],
    [403, 'ACCOUNT_REFUSED', /may not use/, /account that has/],
    [404, 'ENDPOINT_NOT_DEPLOYED', /"ocr" is not deployed.*the account/, /deploy it/],
    [413, 'PAYLOAD_TOO_LARGE', /too large: .*the reason/, /send less/],
    [302, 'TRANSPORT', /redirect/, /leads to/],
    [405, 'BAD_REQUEST', /405/, undefined],
  ] as const) {
    test(`is refused with ${status}`, async () => {
      const { client, requests } = open([json({ error: 'the reason' }, status)], { hint: 'deploy it' })
      const error = await failure(client.submit({ input }))
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
      if (hint) expect(error.hint).toMatch(hint)
      expect(error.cause).toBeUndefined()
      expect(requests).toHaveLength(1)
    })
  }

  test('an address that asks for a key and gets none says why', async () => {
    const { client } = open([json({}, 401)], { key: undefined })
    expect(await failure(client.submit({ input }))).toMatchObject({
      code: 'ACCOUNT_REFUSED',
      message: expect.stringContaining('none is sent'),
      hint: expect.stringContaining('RUNPOD_ENDPOINT_BASE_URL'),
    })
  })

  for (const [what, reply] of [
    ['a page with 200', page('<!doctype html><title>Sign in</title>')],
    ['text', page('OK')],
    ['a page with 418', page('<h1>no</h1>', 418)],
    ['JSON of something else', json({ hello: 'world' })],
    ['a list', json([1])],
    ['a job without an id', json({ status: 'IN_QUEUE' })],
    ['an unknown state', json({ id, status: 'THINKING' })],
    ['a state that is a name of objects', json({ id, status: 'constructor' })],
  ] as [string, Reply][]) {
    test(`${what} is no answer of a queue`, async () => {
      const { client, requests } = open([reply])
      const error = await failure(client.submit({ input }))
      expect(error).toMatchObject({ code: 'TRANSPORT', data: { status: expect.any(Number) } })
      expect(requests).toHaveLength(1)
    })
  }

  test('a key that comes back in an answer stays out of messages', async () => {
    for (const status of [400, 418, 200]) {
      const { client } = open([page(`<p>your key is ${address.key}</p>`, status)])
      const error = await failure(client.submit({ input }))
      expect(JSON.stringify([error.message, error.hint, error.data])).not.toContain(address.key)
      expect(error.message).toContain('your key is rpa_')
    }
  })

  test('a long foreign answer is shown by its beginning', async () => {
    const { client } = open([page('<p>' + 'nothing here '.repeat(10_000))])
    expect((await failure(client.submit({ input }))).message.length).toBeLessThan(400)
  })
})

describe('waiting for the end', () => {
  test('by the waiting form of status, where the host has it', async () => {
    const { client, paths, clock } = open([running, json(completed)])
    const follow = client.follow(id)
    expect(await follow.next()).toEqual({
      status: { id, status: 'IN_PROGRESS', workerId: 'w1' },
      items: [],
    })
    expect(await follow.next()).toEqual({ status: completed, items: [] })
    expect(paths()).toEqual([`/status-sync/${id}?wait=2000`, `/status-sync/${id}?wait=2000`])
    // It answered at once, so the pause is ours.
    expect(clock.waits).toEqual([100])
  })

  test('without a pause of its own when the host has waited', async () => {
    const { client, clock } = open([
      () => {
        clock.pass(2_000)
        return running
      },
      json(completed),
    ])
    const follow = client.follow(id)
    await follow.next()
    await follow.next()
    expect(clock.waits).toEqual([])
  })

  test('else by status, with pauses that grow to two seconds', async () => {
    let asked = 0
    const { client, paths, clock } = open([withoutWaiting(() => (++asked < 12 ? running : json(completed)))])
    const follow = client.follow(id)
    while ((await follow.next()).status.status !== 'COMPLETED');
    expect(paths().filter((path) => path.startsWith('/status-sync'))).toHaveLength(1)
    expect(clock.waits.map(Math.round)).toEqual([100, 150, 225, 338, 506, 759, 1139, 1709, 2000, 2000, 2000])
  })

  test('the host is asked once whether it can wait, whatever the number of jobs', async () => {
    const { client, paths } = open([withoutWaiting(() => json(completed))])
    await client.follow('a').next()
    await client.follow('b').next()
    expect(paths()).toEqual(['/status-sync/a?wait=2000', '/status/a', '/status/b'])
  })

  test('a host that answers the route with an error of its own cannot wait either', async () => {
    const { client, paths } = open([
      ({ path }) => (path.includes('sync') ? json({ error: 'not allowed' }, 405) : json(completed)),
    ])
    expect((await client.follow(id).next()).status).toEqual(completed)
    expect(paths()).toHaveLength(2)
  })

  test('a job that neither route knows says nothing about the host', async () => {
    const { client, paths } = open([json({}, 404), json({}, 404), json(completed)])
    expect(await failure(client.follow('gone').next())).toMatchObject({
      code: 'JOB_NOT_FOUND',
      message: expect.stringContaining('job gone of endpoint "ocr"'),
    })
    await client.follow(id).next()
    expect(paths().at(-1)).toBe(`/status-sync/${id}?wait=2000`)
  })

  test('a job that is gone later is gone', async () => {
    const { client } = open([running, json({}, 404)])
    const follow = client.follow(id)
    await follow.next()
    expect(await failure(follow.next())).toMatchObject({ code: 'JOB_NOT_FOUND' })
  })

  test('a job that was just submitted may not be known everywhere yet', async () => {
    const { client, clock } = open([json({}, 404), json({}, 404), json({}, 404), json({}, 404), running])
    const follow = client.follow(id, { submittedAt: clock.now() })
    expect((await follow.next()).status.status).toBe('IN_PROGRESS')
    const late = open([json({}, 404)])
    const error = await failure(late.client.follow(id, { submittedAt: late.clock.now() }).next())
    expect(error.code).toBe('JOB_NOT_FOUND')
    expect(late.clock.waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(9_000)
  })

  const failures: [string, Reply][] = [
    ['a broken connection', networkError('ECONNRESET')],
    ['nobody listening', networkError('ECONNREFUSED')],
    ['500', json({ error: 'oops' }, 500)],
    ['502 of a proxy', page('<html>', 502)],
    ['a page with 200', page('<html>')],
    ['an answer that is cut off', page('{"id": "job-1-u1", "status": "COMPL')],
    ['JSON of something else', json({ ok: true })],
  ]
  for (const [what, reply] of failures) {
    test(`bears four failures in a row, and the fifth rejects: ${what}`, async () => {
      const patient = open([running, ...Array.from({ length: 4 }, () => reply), json(completed)])
      const follow = patient.client.follow(id)
      await follow.next()
      expect((await follow.next()).status).toEqual(completed)

      const { client, requests } = open([running, ...Array.from({ length: 5 }, () => reply), json(completed)])
      const other = client.follow(id)
      await other.next()
      expect(await failure(other.next())).toMatchObject({
        code: 'TRANSPORT',
        message: expect.stringMatching(/job job-1-u1 of endpoint "ocr": 5 requests in a row failed/),
        hint: expect.stringContaining('may still run'),
      })
      expect(requests).toHaveLength(6)
    })
  }

  test('an answer makes good for the failures before it', async () => {
    const four = Array.from({ length: 4 }, () => networkError('ECONNRESET'))
    const { client } = open([running, ...four, running, ...four, json(completed)])
    const follow = client.follow(id)
    await follow.next()
    await follow.next()
    expect((await follow.next()).status).toEqual(completed)
  })

  test('waits as long as a host in trouble asks for', async () => {
    const { client, clock } = open([
      json({}, 503, { 'retry-after': '20' }),
      json({}, 429, { 'retry-after': new Date(1_700_000_000_000 + 50_000).toUTCString() }),
      json({}, 429, { 'retry-after': '86400' }),
      json({}, 500, { 'retry-after': 'soon' }),
      json(completed),
    ])
    await client.follow(id).next()
    expect(clock.waits).toEqual([20_000, 30_000, 60_000, 1_000])
  })

  test('too many requests are no failures of the connection', async () => {
    const busy = Array.from({ length: 8 }, () => json({}, 429))
    const { client, clock } = open([...busy, json(completed)])
    expect((await client.follow(id).next()).status).toEqual(completed)
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000])
  })

  for (const [status, code] of [
    [401, 'ACCOUNT_REFUSED'],
    [403, 'ACCOUNT_REFUSED'],
    [303, 'TRANSPORT'],
  ] as const) {
    test(`does not bear ${status}`, async () => {
      const { client, requests } = open([json({}, status)])
      expect(await failure(client.follow(id).next())).toMatchObject({ code })
      expect(requests).toHaveLength(1)
    })
  }

  test('an answer that nobody could read safely is an error of its own', async () => {
    const { client } = open([page(`{"id":"a","status":"COMPLETED","output":${'['.repeat(5000)}`)])
    expect(await failure(client.follow(id).next())).toMatchObject({ code: 'BAD_RESULT' })
  })
})

describe('what a status says', () => {
  for (const [what, raw, parsed] of [
    ['the documentation’s other word for running', { status: 'RUNNING' }, { status: 'IN_PROGRESS' }],
    ['another id than asked for', { id: 'x', status: 'IN_QUEUE' }, { status: 'IN_QUEUE' }],
    [
      'an error that is no text',
      { status: 'FAILED', error: { a: 1 } },
      { status: 'FAILED', error: '{"a":1}' },
    ],
    ['an error that is null', { status: 'COMPLETED', error: null }, { status: 'COMPLETED' }],
    ['an output that is null', { status: 'COMPLETED', output: null }, { status: 'COMPLETED', output: null }],
    [
      'times that are none',
      { status: 'IN_PROGRESS', delayTime: '5', workerId: null },
      { status: 'IN_PROGRESS' },
    ],
  ] as const) {
    test(what, async () => {
      const { client, paths } = open([json(raw)])
      expect(await client.status('a/b c')).toEqual({ id: 'a/b c', ...parsed })
      expect(paths()).toEqual(['/status/a%2Fb%20c'])
    })
  }
})

describe('items of a generator', () => {
  const items = (status: string, ...values: unknown[]) =>
    json({ status, stream: values.map((output) => ({ output })) })

  test('come as they are, and the end has the status', async () => {
    const { client, paths, clock } = open([
      items('IN_QUEUE'),
      items('IN_PROGRESS', 1, { a: 2 }),
      items('IN_PROGRESS'),
      items('COMPLETED', null),
      items('COMPLETED'),
      json({ ...completed, output: [] }),
    ])
    const follow = client.follow(id, { items: true })
    const news = [await follow.next()]
    while (news.at(-1)!.status.status !== 'COMPLETED') news.push(await follow.next())
    expect(news.map(({ status, items }) => [status.status, items])).toEqual([
      ['IN_QUEUE', []],
      ['IN_PROGRESS', [1, { a: 2 }]],
      ['IN_PROGRESS', []],
      ['IN_PROGRESS', [null]],
      ['COMPLETED', []],
    ])
    expect(paths()).toEqual([...Array.from({ length: 5 }, () => `/stream/${id}`), `/status/${id}`])
    // After items more are likely, so the pauses begin anew.
    expect(clock.waits).toEqual([100, 100, 150, 100])
  })

  test('an element without output is no item', async () => {
    const { client } = open([json({ status: 'IN_PROGRESS', stream: [{ error: 'x' }, { output: 1 }] })])
    expect((await client.follow(id, { items: true }).next()).items).toEqual([1])
  })

  for (const [what, reply] of [
    ['whose connection broke', networkError('ECONNRESET')],
    ['that was cut off', page('{"status":"IN_PROGRESS","stream":[{"outp')],
    ['that a proxy kept', page('<html>', 504)],
    ['that is a page', page('<html>')],
    ['that is something else', json({ status: 'IN_PROGRESS', stream: [1] })],
  ] as [string, Reply][]) {
    test(`an answer ${what} may have had items, so the stream is lost`, async () => {
      const { client, requests } = open([items('IN_PROGRESS', 1), reply, items('IN_PROGRESS', 3)])
      const follow = client.follow(id, { items: true })
      await follow.next()
      expect(await failure(follow.next())).toMatchObject({
        code: 'STREAM_LOST',
        message: expect.stringContaining('job job-1-u1'),
      })
      expect(requests).toHaveLength(2)
    })
  }

  for (const [what, reply] of [
    ['nobody listening', networkError('ECONNREFUSED')],
    ['too many requests', json({}, 429)],
    ['a host that starts', json({}, 503)],
  ] as [string, Reply][]) {
    test(`nothing is lost by ${what}`, async () => {
      const { client } = open([reply, items('IN_PROGRESS', 1)])
      expect((await client.follow(id, { items: true }).next()).items).toEqual([1])
    })
  }

  test('a status that lags behind the stream is asked for again', async () => {
    const { client } = open([
      items('COMPLETED'),
      running,
      items('COMPLETED'),
      json({ ...completed, output: [] }),
    ])
    const follow = client.follow(id, { items: true })
    expect((await follow.next()).status.status).toBe('IN_PROGRESS')
    expect((await follow.next()).status.status).toBe('COMPLETED')
  })
})

describe('health', () => {
  test('has every count, also those that the host leaves out', async () => {
    const { client, paths } = open([
      json({}, 503),
      json({ jobs: { inQueue: 3, failed: 'x' }, workers: { idle: 1 } }),
    ])
    expect(await client.health()).toEqual({
      jobs: { completed: 0, failed: 0, inProgress: 0, inQueue: 3, retried: 0 },
      workers: { idle: 1, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 },
    })
    expect(paths()).toEqual(['/health', '/health'])
  })

  test('of an endpoint that is not there is an error', async () => {
    const { client } = open([json({}, 404)])
    expect(await failure(client.health())).toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  })
})

describe('cancelling', () => {
  test('tells the queue', async () => {
    const { client, requests } = open([json({ id, status: 'CANCELLED' })])
    await client.cancel(id)
    expect(requests).toMatchObject([{ method: 'POST', path: `/cancel/${id}`, body: undefined }])
  })

  test('is tried again: the second time does no harm', async () => {
    const { client, requests } = open([
      networkError('ECONNRESET'),
      json({}, 500),
      json({ id, status: 'CANCELLED' }),
    ])
    await client.cancel(id)
    expect(requests).toHaveLength(3)
  })

  test('a job that is not known is an error', async () => {
    const { client } = open([json({}, 404)])
    expect(await failure(client.cancel(id))).toMatchObject({ code: 'JOB_NOT_FOUND' })
  })
})
