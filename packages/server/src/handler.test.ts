import { AppError, FrameType, RemoteError } from '@flash/protocol'
import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCapability } from './capability.ts'
import { createHandler, type HandlerOptions } from './handler.ts'
import { issuePreviewToken } from './local-visitor.ts'
import {
  callBody,
  createFakeBackend,
  facts,
  json,
  key,
  refOf,
  type Sent,
  serve,
  tokenOf,
  typesOf,
} from './testing/production.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** A handler on a real server; everybody may call everything unless the test says otherwise. */
async function start(options: Partial<HandlerOptions> = {}, words?: Parameters<typeof createFakeBackend>[0]) {
  const fake = createFakeBackend(words)
  const onError = vi.fn()
  const warn = vi.fn()
  const given = { authorize: 'public' as const, backend: fake.backend, key, onError, warn, ...options }
  const server = await serve(createHandler(facts, given))
  open.push(server.close)
  return { ...server, ...fake, onError, warn }
}

const read = refOf('read')
const nothing = new Uint8Array()
const otherTag = createCapability(new Uint8Array(32).fill(4)).tag

describe('a call', () => {
  test('of a page is run, and answered with frames', async () => {
    const { post, submitted } = await start()
    const answer = await post(read, { args: ['x'] })
    expect([answer.status, typesOf(answer)]).toEqual([200, ['job', 'value']])
    expect(answer.headers).toMatchObject({ 'cache-control': 'private, no-cache', 'x-flash': '1' })
    expect(submitted).toEqual([{ id: 'read', call: { args: ['x'] } }])
  })

  for (const [prefix, path] of [
    ['/_flash', '/_flash/rpc/'],
    ['/app/_flash', '/app/_flash/rpc/'],
    ['/app/_flash', '/_flash/rpc/'],
    ['/app/_flash', '/rpc/'],
    ['/mein büro/_flash', '/mein%20b%C3%BCro/_flash/rpc/'],
  ]) {
    test(`reaches ${prefix} at ${path}`, async () => {
      const { backend } = createFakeBackend()
      const handler = createHandler({ ...facts, prefix: prefix! }, { authorize: 'public', backend, key })
      const { ask, close } = await serve(handler)
      open.push(close)
      const headers = {
        'content-type': 'application/x-flash; v=1',
        'x-flash': '1',
        'sec-fetch-site': 'same-origin',
      }
      const body = callBody({ args: [] })
      expect((await ask(`${path}${read}`, { method: 'POST', headers, body })).status).toBe(200)
    })
  }
})

describe('refused with its own code:', () => {
  const forms: [what: string, path: string, sent: Sent, status: number, code: string][] = [
    ['a tag of another key', `read.${otherTag('read')}`, {}, 409, 'SKEW'],
    ['the tag of another function', `read.${refOf('model').split('.')[1]}`, {}, 409, 'SKEW'],
    ['no tag', 'read', {}, 403, 'FORBIDDEN'],
    ['an empty tag', 'read.', {}, 403, 'FORBIDDEN'],
    ['a tag of another form', 'read.!!', {}, 403, 'FORBIDDEN'],
    ['an unknown id with its tag', refOf('nothing'), {}, 404, 'UNKNOWN_FUNCTION'],
    ['a name of Object.prototype', refOf('constructor'), {}, 404, 'UNKNOWN_FUNCTION'],
    ['GET', read, { method: 'GET', body: nothing }, 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', read, { method: 'PUT' }, 405, 'METHOD_NOT_ALLOWED'],
    ['OPTIONS', read, { method: 'OPTIONS', body: nothing }, 405, 'METHOD_NOT_ALLOWED'],
    ['plain text', read, { headers: { 'content-type': 'text/plain' } }, 415, 'UNSUPPORTED_TYPE'],
    ['no marker', read, { headers: { 'x-flash': undefined } }, 400, 'BAD_REQUEST'],
    ['another wire', read, { headers: { 'content-type': 'application/x-flash; v=9' } }, 409, 'SKEW'],
    ['noise', read, { body: Buffer.from('noise, and some more') }, 400, 'BAD_FRAMES'],
    ['a body over the limit', read, { body: Buffer.alloc(1_000_001) }, 413, 'PAYLOAD_TOO_LARGE'],
    [
      'an option of servers',
      read,
      { body: callBody({ args: [], webhook: 'http://x' }) },
      400,
      'OPTION_SERVER_ONLY',
    ],
    ['a method of a function', read, { body: callBody({ args: [], fn: 'scan' }) }, 400, 'BAD_REQUEST'],
    ['a constructor of a function', read, { body: callBody({ args: [], new: [] }) }, 400, 'BAD_REQUEST'],
    ['no method of a class', refOf('model'), { body: callBody({ args: [], new: [] }) }, 422, 'BAD_INPUT'],
    [
      'a method that is none',
      refOf('model'),
      { body: callBody({ args: [], fn: 'toString' }) },
      422,
      'BAD_INPUT',
    ],
    ['no token', 'resume', { body: callBody({}) }, 400, 'BAD_REQUEST'],
    ['an invented token', 'cancel', { body: callBody({ token: 'job-1' }) }, 403, 'FORBIDDEN'],
  ]
  for (const [what, path, sent, status, code] of forms) {
    test(what, async () => {
      const { post, submitted, cancelled, onError } = await start()
      const answer = await post(path, { args: [] }, sent)
      expect([answer.status, answer.code]).toEqual([status, code])
      expect(answer.headers).toMatchObject({ 'cache-control': 'private, no-store', 'x-flash': '1' })
      expect([submitted, cancelled, onError.mock.calls]).toEqual([[], [], []])
    })
  }

  for (const path of [
    '/_flash',
    '/_flash/',
    '/_flash/ping',
    '/_flash/docs',
    '/_flash/openapi.json',
    '/_flash/rpc',
    '/_flash/rpc/',
    `/_flash/rpc/${read}/x`,
    `/_flash/rpc/../rpc/../${read}`,
    '/_flash/read/run_sync',
    '/_flash/read/health',
    '/somewhere/else',
  ]) {
    test(`${path}, where nothing is`, async () => {
      const { ask } = await start()
      for (const method of ['GET', 'POST']) {
        const answer = await ask(path, { method, headers: { 'sec-fetch-site': 'same-origin' } })
        expect([answer.status, answer.code, answer.headers['x-flash']]).toEqual([404, 'NOT_FOUND', '1'])
      }
    })
  }

  test('a body over the limit of the handler, also when its length is not declared', async () => {
    const { post } = await start({ maxBodyBytes: 1_000 })
    const headers = { 'transfer-encoding': 'chunked' }
    const answer = await post(read, null, { headers, body: Buffer.alloc(2_000) })
    expect([answer.status, answer.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect((await post(read, { args: ['x'.repeat(900)] })).status).toBe(200)
  })
})

test('a host that is no host is refused, and not logged', async () => {
  const { ask, post, onError } = await start()
  const headers = { host: 'x:99999' }
  for (const answer of [await post(read, { args: [] }, { headers }), await ask('/', { headers })])
    expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST'])
  expect(onError).not.toHaveBeenCalled()
})

describe('the page', () => {
  const pages: [what: string, headers: (host: string) => Sent['headers'], status: number][] = [
    ['of this origin, said by the browser', () => ({ 'sec-fetch-site': 'same-origin' }), 200],
    ['of this origin, said by Origin', (host) => ({ origin: `http://${host}` }), 200],
    ['of this host behind something that ends TLS', (host) => ({ origin: `https://${host}` }), 200],
    ['of another site', () => ({ 'sec-fetch-site': 'cross-site' }), 403],
    [
      'of another site that claims our Origin',
      (host) => ({ 'sec-fetch-site': 'cross-site', origin: `http://${host}` }),
      403,
    ],
    ['of a sibling', () => ({ 'sec-fetch-site': 'same-site' }), 403],
    ['that is the address bar', () => ({ 'sec-fetch-site': 'none' }), 403],
    ['of another Origin', () => ({ origin: 'https://evil.test' }), 403],
    ['of another port', () => ({ origin: 'http://127.0.0.1:1' }), 403],
    ['of a name that begins like ours', (host) => ({ origin: `http://${host}.evil.test` }), 403],
    ['without an origin of its own', () => ({ origin: 'null' }), 403],
    ['with an Origin that is none', (host) => ({ origin: host }), 403],
    ['that says nothing', () => ({}), 403],
    [
      'behind a proxy that is not to be believed',
      () => ({ origin: 'https://evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }),
      403,
    ],
  ]
  for (const [what, headersFor, status] of pages) {
    test(`${what}: ${status}`, async () => {
      const { post, host, submitted } = await start()
      const headers = { 'sec-fetch-site': undefined, ...headersFor(host) }
      const answer = await post(read, { args: [] }, { headers })
      expect([answer.status, answer.code]).toEqual([status, status === 403 ? 'FORBIDDEN' : undefined])
      expect(submitted).toHaveLength(status === 200 ? 1 : 0)
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    })
  }

  test('of http may not call a server of https', async () => {
    const { backend } = createFakeBackend()
    const handler = createHandler(facts, { authorize: 'public', backend, key })
    const request = (origin: string) =>
      new Request(`https://shop.test/_flash/rpc/${read}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1', origin },
        body: callBody({ args: [] }),
      })
    expect((await handler(request('https://shop.test'))).status).toBe(200)
    expect((await handler(request('http://shop.test'))).status).toBe(403)
    expect((await handler(request('https://shop.test:8443'))).status).toBe(403)
  })
})

describe('pages of elsewhere', () => {
  const listed = 'https://app.test'
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: { origin, 'sec-fetch-site': 'cross-site', 'access-control-request-method': 'POST' },
  })

  test('that are listed may call, read the marker, and send cookies', async () => {
    const { post } = await start({ allowedOrigins: [listed, 'http://localhost:5173'] })
    const answer = await post(
      read,
      { args: [] },
      { headers: { origin: listed, 'sec-fetch-site': 'cross-site' } },
    )
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-flash',
      vary: 'origin',
    })
  })

  test('are told why they are refused', async () => {
    const { post } = await start({ allowedOrigins: [listed] })
    const headers = { origin: listed, 'sec-fetch-site': 'cross-site' }
    const answer = await post('read', { args: [] }, { headers })
    expect([answer.code, answer.headers['access-control-allow-origin']]).toEqual(['FORBIDDEN', listed])
  })

  test('may ask first', async () => {
    const { ask } = await start({ allowedOrigins: [listed] })
    const answer = await ask(`/_flash/rpc/${read}`, preflight(listed))
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-flash',
      vary: 'origin',
    })
  })

  for (const origin of ['https://app.test.evil.test', 'http://app.test', 'https://app.test:444', 'null']) {
    test(`${origin} is not listed`, async () => {
      const { ask, post } = await start({ allowedOrigins: [listed] })
      const asked = await ask(`/_flash/rpc/${read}`, preflight(origin))
      const headers = { origin, 'sec-fetch-site': 'cross-site' }
      for (const answer of [asked, await post(read, { args: [] }, { headers })]) {
        expect([answer.status, answer.code, answer.headers.vary]).toEqual([403, 'FORBIDDEN', 'origin'])
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
      }
    })
  }

  test('without a list nobody may ask', async () => {
    const { ask } = await start()
    const answer = await ask(`/_flash/rpc/${read}`, preflight(listed))
    expect([answer.status, answer.code]).toEqual([403, 'FORBIDDEN'])
  })
})

describe('options that are refused when the handler is made:', () => {
  for (const options of [
    { allowedOrigins: ['*'] },
    { allowedOrigins: ['null'] },
    { allowedOrigins: ['https://app.test/'] },
    { allowedOrigins: ['https://*.app.test'] },
    { allowedOrigins: ['app.test'] },
    { allowedOrigins: ['ftp://app.test'] },
    { allowedOrigins: [7] },
    { allowedOrigins: 'https://app.test' },
    { authorize: true },
    { authorize: 'Public' },
    { authorize: null },
    { maxBodyBytes: 0 },
    { maxBodyBytes: '10' },
    { onError: 'log' },
    { authorise: () => true },
  ]) {
    test(JSON.stringify(options), () => {
      const { backend } = createFakeBackend()
      const name = Object.keys(options)[0]!
      const make = () => createHandler(facts, { backend, key, ...(options as object) })
      expect(make).toThrow(
        expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining(`"${name}"`) }),
      )
    })
  }
})

describe('authorize', () => {
  test('that is missing refuses everybody', async () => {
    const { post, submitted } = await start({ authorize: undefined })
    const answer = await post(read, { args: [] })
    expect([answer.status, answer.code]).toEqual([403, 'AUTHORIZE_MISSING'])
    expect(answer.text).toContain('authorize')
    const token = createCapability(key).seal({
      endpoint: 'ocr',
      jobId: 'job-1',
      id: 'read',
      subject: null,
      expires: 9e15,
    })
    for (const route of ['resume', 'cancel'])
      expect((await post(route, { token })).code).toBe('AUTHORIZE_MISSING')
    expect(submitted).toEqual([])
  })

  test('is asked with what is wanted, and by whom', async () => {
    const calls: unknown[] = []
    const { post } = await start({
      authorize: (request, call) => {
        calls.push([request.headers.get('cookie'), call])
        return true
      },
    })
    const headers = { cookie: 'session=1' }
    const first = await post(read, { args: [] }, { headers })
    await post(`${read}?run`, { args: [], run: true }, { headers })
    const third = await post(refOf('model'), { args: [], new: [], fn: 'scan' }, { headers })
    await post('resume', { token: tokenOf(first) }, { headers })
    await post('cancel', { token: tokenOf(third) }, { headers })
    const call = (kind: string, id = 'read', name = 'read') => ({ endpoint: 'ocr', kind, id, function: name })
    expect(calls).toEqual([
      ['session=1', call('call')],
      ['session=1', call('run')],
      ['session=1', { ...call('call', 'model', 'Model'), method: 'scan' }],
      ['session=1', call('resume')],
      ['session=1', { ...call('cancel', 'model', 'Model'), method: 'scan' }],
    ])
  })

  test('is asked about what the body says, whatever the address says', async () => {
    const authorize = vi.fn((_request: Request, call: { kind: string }) => call.kind === 'call')
    const { post, submitted } = await start({ authorize })
    expect((await post(read, { args: [], run: true })).code).toBe('FORBIDDEN')
    expect(authorize.mock.calls.map(([, { kind }]) => kind)).toEqual(['call', 'run'])
    expect((await post(`${read}?run`, { args: [] })).code).toBe('FORBIDDEN')
    expect(submitted).toEqual([])
  })

  test('is asked before the body is read', async () => {
    const { port } = await start({ authorize: () => false })
    const socket = connect(port, '127.0.0.1')
    const head = `POST /_flash/rpc/${read} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-flash; v=1\r\nx-flash: 1\r\ncontent-length: 100000\r\n\r\n`
    socket.write(head)
    const text = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    socket.destroy()
    expect(text).toMatch(/^HTTP\/1\.1 403 /)
    expect(text).toContain('FORBIDDEN')
  })

  const verdicts: [
    what: string,
    authorize: () => unknown,
    status: number,
    code: string | undefined,
    logged: number,
  ][] = [
    ['true', () => true, 200, undefined, 0],
    ['a promise of true', async () => true, 200, undefined, 0],
    ['a subject', () => ({ subject: 'ann' }), 200, undefined, 0],
    ['false', () => false, 403, 'FORBIDDEN', 0],
    ['nothing', () => undefined, 403, 'FORBIDDEN', 1],
    ['null', async () => null, 403, 'FORBIDDEN', 1],
    ['1', () => 1, 403, 'FORBIDDEN', 1],
    ['text', () => 'yes', 403, 'FORBIDDEN', 1],
    ['a user without a subject', () => ({ user: 'ann' }), 403, 'FORBIDDEN', 1],
    ['a subject that is missing', () => ({ subject: undefined }), 403, 'FORBIDDEN', 1],
    ['a subject that is empty', () => ({ subject: '' }), 403, 'FORBIDDEN', 1],
    ['a subject that is a number', () => ({ subject: 7 }), 403, 'FORBIDDEN', 1],
    ['a subject longer than a token holds', () => ({ subject: 'é'.repeat(600) }), 403, 'FORBIDDEN', 1],
    [
      'a throw',
      () => {
        throw new Error('canary: database at 10.0.0.7')
      },
      500,
      'INTERNAL',
      1,
    ],
    [
      'a rejection',
      async () => {
        throw new RemoteError('PAYMENT', 'canary')
      },
      500,
      'INTERNAL',
      1,
    ],
    [
      'a throw of nothing',
      () => {
        throw undefined
      },
      500,
      'INTERNAL',
      1,
    ],
    [
      'a response that was read already',
      async () => {
        const response = new Response('canary')
        await response.text()
        return response
      },
      500,
      'INTERNAL',
      1,
    ],
    ['a response that is none to send', () => Response.error(), 500, 'INTERNAL', 1],
  ]
  for (const [what, authorize, status, code, logged] of verdicts) {
    test(`gives ${what}: ${code ?? 'allowed'}`, async () => {
      const { post, submitted, onError } = await start({ authorize: authorize as never })
      const answer = await post(read, { args: [] })
      expect([answer.status, answer.code]).toEqual([status, code])
      expect(answer.text).not.toContain('canary')
      expect(submitted).toHaveLength(status === 200 ? 1 : 0)
      expect(onError).toHaveBeenCalledTimes(logged)
      if (status === 500) expect(answer.text).toContain(onError.mock.calls[0]![1])
    })
  }

  test('that gives nonsense is named once', async () => {
    const { post, onError } = await start({ authorize: (() => ({ user: 'ann', role: 'admin' })) as never })
    for (let n = 0; n < 3; n++) expect((await post(read, { args: [] })).code).toBe('FORBIDDEN')
    expect(onError).toHaveBeenCalledOnce()
    expect(onError.mock.calls[0]![0]).toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('{ user, role }'),
    })
  })

  test('may answer itself: with an error, that stubs take for a refusal', async () => {
    const { post, submitted } = await start({
      authorize: () =>
        Response.json(
          { code: 'NO_CREDIT', message: 'buy some' },
          { status: 402, headers: { 'set-cookie': 'a=1' } },
        ),
    })
    const answer = await post(read, { args: [] })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([402, 'NO_CREDIT'])
    expect(answer.headers).toMatchObject({
      'x-flash': '1',
      'cache-control': 'private, no-store',
      'set-cookie': ['a=1'],
    })
    expect(submitted).toEqual([])
  })

  test('may answer with one response again and again', async () => {
    const response = Response.json({ code: 'NO_CREDIT' }, { status: 402 })
    const { post, onError } = await start({ authorize: () => response })
    for (let n = 0; n < 3; n++) {
      const answer = await post(read, { args: [] })
      expect([answer.status, answer.text]).toEqual([402, '{"code":"NO_CREDIT"}'])
    }
    expect(onError).not.toHaveBeenCalled()
  })

  test('gets the request without its body, which it cannot take away from the call', async () => {
    const seen: unknown[] = []
    const { post, submitted, host } = await start({
      authorize: async (request) => {
        seen.push([request.method, request.url, request.headers.get('x-own'), await request.text()])
        return !request.signal.aborted
      },
    })
    for (const [path, value] of [
      [read, { args: ['x'] }],
      [refOf('model'), { args: ['x'], new: [], fn: 'load' }],
    ] as const) {
      expect((await post(path, value, { headers: { 'x-own': 'mine' } })).status).toBe(200)
      expect(seen.pop()).toEqual(['POST', `http://${host}/_flash/rpc/${path}`, 'mine', ''])
    }
    expect(submitted.map(({ call }) => call.args)).toEqual([['x'], ['x']])
  })

  test('that takes longer than its caller stays runs nothing', async () => {
    let decide = (_verdict: true) => {}
    const asked = vi.fn(() => new Promise<true>((resolve) => (decide = resolve)))
    const { port, submitted } = await start({ authorize: asked })
    const gone = new Promise<void>((resolve) =>
      asked.mockImplementationOnce((request?: Request) => {
        request!.signal.addEventListener('abort', () => resolve())
        return new Promise<true>((resolve) => (decide = resolve))
      }),
    )
    const body = callBody({ args: [], new: [], fn: 'load' })
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /_flash/rpc/${refOf('model')} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-flash; v=1\r\nx-flash: 1\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)
    await vi.waitUntil(() => asked.mock.calls.length, { interval: 1 })
    socket.destroy()
    await gone
    decide(true)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(submitted).toEqual([])
  })

  for (const [what, response] of [
    ['a page', () => new Response('<h1>sign in</h1>', { headers: { 'x-flash': '1' } })],
    [
      'a redirect',
      () => new Response(null, { status: 303, headers: { location: '/login', 'x-flash': '1' } }),
    ],
    [
      'an answer made of frames',
      () =>
        new Response(callBody({}), {
          headers: { 'x-flash': '1', 'content-type': 'application/x-flash; v=1' },
        }),
    ],
  ] as const) {
    test(`may answer itself: with ${what}, that no stub can take for a result`, async () => {
      const { post, submitted } = await start({ authorize: response })
      const answer = await post(read, { args: [] })
      expect(answer.status).toBeLessThan(400)
      expect(answer.headers).not.toHaveProperty('x-flash')
      expect(submitted).toEqual([])
    })
  }
})

describe('a job', () => {
  const bySession = (request: Request) => ({ subject: request.headers.get('cookie') ?? 'nobody' })
  const as = (cookie: string) => ({ headers: { cookie } })

  test('is read and cancelled by whoever started it, and by nobody else', async () => {
    const { post, cancelled } = await start({ authorize: bySession })
    const token = tokenOf(await post(`${read}?run`, { args: [], run: true }, as('ann')))
    for (const route of ['resume', 'cancel']) {
      const answer = await post(route, { token }, as('bob'))
      expect([answer.status, answer.code]).toEqual([403, 'FORBIDDEN'])
    }
    const status = await post('resume', { token, only: 'status' }, as('bob'))
    expect([status.status, status.code, cancelled]).toEqual([403, 'FORBIDDEN', []])
    expect(typesOf(await post('resume', { token }, as('ann')))).toEqual(['value'])
    expect((await post('cancel', { token }, as('ann'))).status).toBe(200)
    expect(cancelled).toEqual(['job-1'])
  })

  test('of nobody in particular is not for somebody, and the other way round', async () => {
    const seal = createCapability(key).seal
    const claims = { endpoint: 'ocr', jobId: 'job-1', id: 'read', expires: 9e15 }
    const somebody = await start({ authorize: bySession })
    expect(
      (await somebody.post('resume', { token: seal({ ...claims, subject: null }) }, as('ann'))).code,
    ).toBe('FORBIDDEN')
    const anybody = await start()
    expect((await anybody.post('resume', { token: seal({ ...claims, subject: 'ann' }) })).code).toBe(
      'FORBIDDEN',
    )
  })

  test('whose token another key sealed, or whose time is long over, is not known', async () => {
    const { post } = await start()
    const claims = { endpoint: 'ocr', jobId: 'job-1', id: 'read', subject: null, expires: Date.now() }
    const seal = (at: number, by = key) => createCapability(by).seal({ ...claims, expires: at })
    expect((await post('resume', { token: seal(Date.now(), new Uint8Array(32)) })).code).toBe('FORBIDDEN')
    expect((await post('resume', { token: seal(Date.now() - 1_700_000) })).status).toBe(200)
    expect((await post('resume', { token: seal(Date.now() - 1_900_000) })).code).toBe('JOB_NOT_FOUND')
  })

  test('of a function that is gone cannot be read', async () => {
    const { post } = await start()
    const token = createCapability(key).seal({
      endpoint: 'ocr',
      jobId: 'job-1',
      id: 'gone',
      subject: null,
      expires: 9e15,
    })
    expect((await post('resume', { token })).code).toBe('UNKNOWN_FUNCTION')
  })

  test('shows where it stands without the names that the platform has for it', async () => {
    const words = [
      json(FrameType.status, { id: 'job-1', status: 'IN_PROGRESS', workerId: 'w-9', delayTime: 5 }),
      json(FrameType.value, 1),
    ]
    const { post } = await start({}, words)
    const answer = await post(read, { args: [] })
    expect(JSON.parse(answer.messages[1]!.text)).toEqual({ status: 'IN_PROGRESS', delayTime: 5 })
    const asked = await post('resume', { token: tokenOf(answer), only: 'status' })
    expect(JSON.parse(asked.messages[0]!.text)).toEqual({ status: 'IN_PROGRESS', delayTime: 3 })
  })
})

describe('what a job says', () => {
  test('of progress, items and values comes as it is, and what it printed does not', async () => {
    const words = [
      json(FrameType.log, { stream: 'stdout', text: 'canary' }),
      json(FrameType.progress, { done: 1 }),
      json(FrameType.item, 'a'),
      json(FrameType.end),
    ]
    const { post } = await start({}, words)
    const answer = await post(read, { args: [] })
    expect(typesOf(answer)).toEqual(['job', 'progress', 'item', 'end'])
    expect(answer.text).not.toContain('canary')
  })

  test('of a failure is logged once, however often it is read, and found by its id', async () => {
    const wire = {
      name: 'TypeError',
      message: 'canary',
      stack: 'TypeError: canary\n    at /srv/app/secret.ts:3:1',
    }
    const { post, onError } = await start({}, [json(FrameType.error, wire)])
    const first = await post(read, { args: [] })
    const again = await post('resume', { token: tokenOf(first) })
    const requestIds = [first, again].map(({ messages }) => JSON.parse(messages.at(-1)!.text).data.requestId)
    expect(onError).toHaveBeenCalledOnce()
    expect(onError.mock.calls[0]).toEqual([expect.any(TypeError), requestIds[0]])
    expect(onError.mock.calls[0]![0]).toMatchObject({ message: 'canary', stack: wire.stack })
    expect(requestIds[1]).toBe(requestIds[0])
    expect(first.text + again.text).not.toContain('canary')
  })

  test('when the log itself fails, changes nothing for the caller', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const onError = () => {
      throw new Error('disk full')
    }
    const { post } = await start({ onError }, [json(FrameType.error, { name: 'Error', message: 'canary' })])
    const answer = await post(read, { args: [] })
    expect(JSON.parse(answer.messages[1]!.text).code).toBe('INTERNAL')
    expect(print.mock.calls.map(([, error]) => (error as Error).message)).toEqual(['canary', 'disk full'])
    print.mockRestore()
  })
})

describe('a backend that cannot take a call', () => {
  const failures: [what: string, thrown: unknown, status: number, code: string, logged: number][] = [
    [
      'is not deployed',
      new AppError('ENDPOINT_NOT_DEPLOYED', { message: 'canary', hint: 'canary' }),
      503,
      'ENDPOINT_NOT_DEPLOYED',
      1,
    ],
    ['has no account', new AppError('NO_ACCOUNT', { message: 'canary' }), 500, 'INTERNAL', 1],
    [
      'does not answer',
      new RemoteError('TRANSPORT', 'canary at http://10.0.0.7', { data: { body: 'canary' } }),
      502,
      'TRANSPORT',
      1,
    ],
    [
      'does not know the function',
      new AppError('UNKNOWN_FUNCTION', { message: 'canary' }),
      500,
      'INTERNAL',
      1,
    ],
    [
      'finds it too large',
      new AppError('PAYLOAD_TOO_LARGE', { message: 'too large', data: { size: 2 } }),
      413,
      'PAYLOAD_TOO_LARGE',
      0,
    ],
    ['has a code of the user', new RemoteError('CUSTOM', 'canary'), 500, 'INTERNAL', 1],
    [
      'has a module that does not load',
      new AppError('MODULE_FAILED', {
        message: 'canary',
        frame: 'canary',
        at: { file: 'canary', line: 1, column: 1 },
      }),
      500,
      'INTERNAL',
      1,
    ],
    ['breaks', new TypeError('canary'), 500, 'INTERNAL', 1],
  ]
  for (const [what, thrown, status, code, logged] of failures) {
    for (const member of ['find', 'submit'] as const) {
      test(`because it ${what}, in ${member}`, async () => {
        const { backend } = createFakeBackend()
        const failing = { ...backend, [member]: () => Promise.reject(thrown) }
        const { post, onError } = await start({ backend: failing })
        const answer = await post(read, { args: [] })
        expect([answer.status, answer.code]).toEqual([status, code])
        expect(answer.text).not.toContain('canary')
        expect(onError.mock.calls.map(([error]) => error)).toEqual(logged ? [thrown] : [])
        if (logged) expect(JSON.parse(answer.text).data).toEqual({ requestId: onError.mock.calls[0]![1] })
      })
    }
  }

  test('in a way that nobody thought of', async () => {
    const { backend } = createFakeBackend()
    const failing = {
      ...backend,
      job: () => {
        throw new Error('canary')
      },
    }
    const { post, onError } = await start({ backend: failing })
    const token = tokenOf(await post(read, { args: [] }))
    const answer = await post('resume', { token })
    expect([answer.status, answer.code]).toEqual([500, 'INTERNAL'])
    expect(answer.text).toContain(onError.mock.calls[0]![1])
    expect(answer.text).not.toContain('canary')
  })
})

describe('a preview', () => {
  const start2 = (options: Partial<HandlerOptions> = {}) =>
    start({ authorize: undefined, previewToken: issuePreviewToken(), ...options })

  test('answers visitors of this machine, and says once what production will do', async () => {
    const { post, warn, port } = await start2()
    for (const host of [undefined, `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'localhost'])
      expect((await post(read, { args: [] }, { headers: { host } })).status).toBe(200)
    expect(warn).toHaveBeenCalledOnce()
    expect(warn.mock.calls[0]![0]).toContain('AUTHORIZE_MISSING')
  })

  for (const headers of [
    { host: 'shop.test' },
    { host: 'localhost.evil.test' },
    { host: 'localhost.' },
    { host: '127.0.0.2' },
    { host: '0.0.0.0' },
    { forwarded: 'for=1.2.3.4' },
    { via: '1.1 proxy' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-proto': 'https' },
    { 'X-Forwarded-Anything': '' },
    { 'x-real-ip': '127.0.0.1' },
    { 'x-client-ip': '127.0.0.1' },
    { 'True-Client-IP': '127.0.0.1' },
    { 'cf-connecting-ip': '127.0.0.1' },
    { 'cf-ray': '1' },
    { 'x-original-for': '127.0.0.1' },
    { 'x-original-host': 'localhost' },
    { 'x-cluster-client-ip': '127.0.0.1' },
    { 'fly-client-ip': '127.0.0.1' },
    { 'x-amzn-trace-id': 'Root=1' },
  ]) {
    test(`refuses ${JSON.stringify(headers)}`, async () => {
      const { post } = await start2()
      const answer = await post(read, { args: [] }, { headers })
      expect([answer.status, answer.code]).toEqual([403, 'AUTHORIZE_MISSING'])
    })
  }

  test('refuses HTTP/1.0, which nginx speaks to what is behind it', async () => {
    const { port } = await start2()
    const body = callBody({ args: [] })
    const statusOf = async (version: string) => {
      const socket = connect(port, '127.0.0.1')
      socket.write(
        `POST /_flash/rpc/${read} HTTP/${version}\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-flash; v=1\r\nx-flash: 1\r\ncontent-length: ${body.length}\r\n\r\n`,
      )
      socket.write(body)
      let text = ''
      for await (const chunk of socket) text += chunk
      return text.split(' ')[1]
    }
    expect([await statusOf('1.1'), await statusOf('1.0')]).toEqual(['200', '403'])
  })

  test('answers what programs and browsers of this machine send', async () => {
    const { post } = await start2()
    const headers = {
      'user-agent': 'x',
      'x-original': 'a',
      'x-real': 'b',
      'accept-encoding': 'gzip',
      'x-requested-with': 'c',
    }
    expect((await post(read, { args: [] }, { headers })).status).toBe(200)
  })

  test('refuses pages of elsewhere', async () => {
    const { post } = await start2()
    expect((await post(read, { args: [] }, { headers: { 'sec-fetch-site': 'cross-site' } })).code).toBe(
      'FORBIDDEN',
    )
  })

  test('refuses a request of which no socket is known', async () => {
    const { backend } = createFakeBackend()
    const handler = createHandler(facts, { backend, key, previewToken: issuePreviewToken(), warn() {} })
    const headers = {
      'content-type': 'application/x-flash; v=1',
      'x-flash': '1',
      'sec-fetch-site': 'same-origin',
    }
    const request = new Request(`http://localhost/_flash/rpc/${read}`, {
      method: 'POST',
      headers,
      body: callBody({ args: [] }),
    })
    expect(await (await handler(request)).json()).toMatchObject({ code: 'AUTHORIZE_MISSING' })
  })

  test('refuses a visitor of another machine', async () => {
    const { backend } = createFakeBackend()
    const handler = createHandler(facts, { backend, key, previewToken: issuePreviewToken(), warn() {} })
    const ask = async (remoteAddress: string | undefined) => {
      const headers = {
        host: 'localhost',
        'content-type': 'application/x-flash; v=1',
        'x-flash': '1',
        'sec-fetch-site': 'same-origin',
      }
      const request = new Request(`http://localhost/_flash/rpc/${read}`, {
        method: 'POST',
        headers,
        body: callBody({ args: [] }),
      })
      const req = { socket: { remoteAddress }, readableEnded: true }
      return (await handler(Object.assign(request, { runtime: { node: { req } } }) as Request)).status
    }
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
      expect(await ask(address)).toBe(200)
    for (const address of ['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '128.127.0.1', undefined])
      expect(await ask(address)).toBe(403)
  })

  for (const [what, previewToken] of [
    ['something made up', {}],
    ['a symbol', Symbol('preview')],
    ['true', true],
    ['a copy', { ...issuePreviewToken() }],
  ] as [string, object][]) {
    test(`is not opened by ${what}`, async () => {
      const { post } = await start2({ previewToken })
      expect((await post(read, { args: [] })).code).toBe('AUTHORIZE_MISSING')
    })
  }

  test('has a token for one handler only', async () => {
    const previewToken = issuePreviewToken()
    expect((await (await start2({ previewToken })).post(read, { args: [] })).status).toBe(200)
    expect((await (await start2({ previewToken })).post(read, { args: [] })).code).toBe('AUTHORIZE_MISSING')
  })

  test('is as strict as production once there is an authorize', async () => {
    const { post } = await start2({ authorize: () => false })
    expect((await post(read, { args: [] })).code).toBe('FORBIDDEN')
  })
})

describe('an upgrade', () => {
  const ask = async (port: number, path: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }

  test.each([
    ['/_flash', 403, 'FORBIDDEN'],
    [`/_flash/rpc/${read}?path=/x`, 403, 'FORBIDDEN'],
  ])('of %s that no page of the app asks for is refused and closed', async (path, status, code) => {
    const { port } = await start()
    const text = await ask(port, path)
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(text).toContain('x-flash: 1')
    expect(text).toContain(`"code":"${code}"`)
  })

  test.each(['/', '/_flashy', '/live'])('of %s is left to others', async (path) => {
    const { port } = await start()
    expect(await ask(port, path)).toBe('left to others')
  })
})
