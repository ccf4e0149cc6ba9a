import { RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindWeb } from '../index.ts'
import { type Exchange, type ScriptedServer, startScriptedServer } from '../scripted-server.ts'
import type { BalancedRequest } from './types.ts'
import { createWeb } from './web.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

async function webOf(script: (exchange: Exchange) => unknown) {
  server = await startScriptedServer(script)
  return bindWeb(`${server.url}/_flash`)(ref)
}

const echo = async (exchange: Exchange) => {
  const { bytes, fetch } = exchange.value
  await exchange.head(200, { 'content-type': 'application/json' })
  if (fetch.method !== 'HEAD')
    exchange.chunk(JSON.stringify({ ...fetch, text: bytes && new TextDecoder().decode(bytes) }))
  exchange.endBody()
}

/** A web app that keeps what it is asked for. */
function asked(target: Partial<Parameters<typeof createWeb>[0]> = {}) {
  const requests: BalancedRequest[] = []
  const send = async (request: BalancedRequest) => {
    requests.push(request)
    return new Response('ok')
  }
  return { requests, web: createWeb({ send, ...target }) }
}

describe('of an address only path and query are used', () => {
  for (const [input, path] of [
    ['/items?page=2#part', '/items?page=2'],
    ['items', '/items'],
    ['', '/'],
    ['?a=1', '/?a=1'],
    ['//evil.test/x', '//evil.test/x'],
    ['https://evil.test/items?x=1', '/items?x=1'],
    ['http://user:password@evil.test:8080', '/'],
    ['http://evil.test?x=1', '/?x=1'],
    ['HTTPS://evil.test/a', '/a'],
    ['/a%2Fb/ä b?q=ä', '/a%2Fb/%C3%A4%20b?q=%C3%A4'],
    [new URL('https://evil.test/items?x=1#y'), '/items?x=1'],
    [new Request('https://evil.test/items?x=1'), '/items?x=1'],
    ['/a/./b', '/a/b'],
  ] as const) {
    test(`${input instanceof Request ? 'a Request' : JSON.stringify(input)}`, async () => {
      const { web, requests } = asked()
      await web.fetch(input as string)
      expect(requests).toMatchObject([{ path, method: 'GET', body: null }])
    })
  }

  for (const [input, code] of [
    ['/a/../b', 'BAD_PATH'],
    ['https://evil.test/../b', 'BAD_PATH'],
    ['https://evil.test\\b', 'BAD_PATH'],
    ['/%2e%2e/b', 'BAD_PATH'],
    ['/a\\b', 'BAD_PATH'],
    ['/a\nb', 'BAD_PATH'],
    ['/ping', 'RESERVED_PATH'],
    ['https://evil.test/execute', 'RESERVED_PATH'],
    ['/_runpod/x', 'RESERVED_PATH'],
  ] as const) {
    test(`${JSON.stringify(input)} is ${code}`, async () => {
      const { web, requests } = asked()
      for (const call of [web.fetch(input), web.get(input), web.connect(input)]) {
        const error = await call.catch((error: unknown) => error)
        expect(error).toBeInstanceOf(RemoteError)
        expect((error as RemoteError).code).toBe(code)
      }
      expect(requests).toEqual([])
    })
  }
})

describe('a request', () => {
  test('has method, headers and body of its init', async () => {
    const { fetch } = await webOf(echo)
    const init = { method: 'post', headers: { 'x-mine': 'yes' }, body: new URLSearchParams({ a: '1' }) }
    const response = await fetch('http://localhost/form', init)
    expect(await response.json()).toEqual({
      method: 'POST',
      path: '/form',
      headers: [
        ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
        ['x-mine', 'yes'],
      ],
      body: true,
      text: 'a=1',
    })
  })

  test('may be a Request, and what init says comes before', async () => {
    const { fetch } = await webOf(echo)
    const request = new Request('https://any.test/put', { method: 'PUT', body: 'text', headers: { a: 'b' } })
    expect(await (await fetch(request)).json()).toMatchObject({ method: 'PUT', path: '/put', text: 'text' })
    const other = new Request('https://any.test/put', { method: 'PUT', body: 'text' })
    const changed = await fetch(other, { method: 'patch', body: new Blob(['more']).stream() })
    expect(await changed.json()).toMatchObject({ method: 'PATCH', text: 'more' })
  })

  test('of a page says nothing of who somebody is', async () => {
    const { fetch } = await webOf(echo)
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-flash-worker-token': 'x', accept: '*/*' }
    const response = await fetch('/', { headers })
    expect((await response.json()).headers).toEqual([['accept', '*/*']])
  })

  test('of a server brings what it says, but for what is between neighbours', async () => {
    const { web, requests } = asked()
    await web.fetch('/', { headers: { authorization: 'Bearer x', connection: 'close', te: 'trailers' } })
    expect([...requests[0]!.headers]).toEqual([['authorization', 'Bearer x']])
  })

  for (const verb of ['get', 'post', 'put', 'patch', 'delete', 'options'] as const) {
    test(`by ${verb}()`, async () => {
      const web = await webOf(echo)
      const { [verb]: call } = web
      const response = await call('/items', { headers: { a: 'b' } })
      expect(await response.json()).toMatchObject({ method: verb.toUpperCase(), path: '/items' })
    })
  }

  test('by head() has no body', async () => {
    const { head } = await webOf(echo)
    const response = await head('/items')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  test('that is read has no body, as for every fetch', async () => {
    const { web } = asked()
    await expect(web.get('/', { body: 'x' })).rejects.toBeInstanceOf(TypeError)
  })

  test('has its whole body where browsers do not show it as a stream', async () => {
    vi.spyOn(Request.prototype, 'body', 'get').mockReturnValue(undefined as never)
    const { web, requests } = asked()
    await web.post('/', { body: 'text' })
    await web.get('/')
    expect(await (requests[0]!.body as Blob).text()).toBe('text')
    expect(requests[1]!.body).toBeNull()
  })
})

describe('a signal', () => {
  const reason = new Error('mine')

  test('of init and of a Request ends it', async () => {
    const { web, requests } = asked()
    const signal = AbortSignal.abort(reason)
    await expect(web.fetch('/', { signal })).rejects.toBe(reason)
    await expect(web.fetch(new Request('http://x.test/', { signal }))).rejects.toBe(reason)
    expect(requests).toEqual([])
    await web.fetch('/', { signal: null })
    expect(requests[0]!.signal).toBeUndefined()
  })

  test('ends a body that is on its way', async () => {
    const abort = new AbortController()
    let gone: Promise<void> | undefined
    const { get } = await webOf(async (exchange) => {
      await exchange.head(200)
      exchange.chunk('begin')
      gone = exchange.gone
    })
    const response = await get('/', { signal: abort.signal })
    const text = response.text()
    abort.abort(reason)
    await expect(text).rejects.toBe(reason)
    await gone
  })

  test('is handed down by what the call is made in', async () => {
    const signal = AbortSignal.abort(reason)
    const connect = vi.fn(({ signal }) => Promise.reject(signal.reason))
    const { web } = asked({ inherit: () => ({ signal }), connect })
    await expect(web.get('/')).rejects.toBe(reason)
    await expect(web.connect('/')).rejects.toBe(reason)
  })
})

test('errors are those of the route, with the stack of the call', async () => {
  const web = await webOf((exchange) => exchange.refuse(403, { code: 'FORBIDDEN', message: 'no' }))
  const error = await web.fetch('/').catch((error: unknown) => error)
  expect(error).toBeInstanceOf(RemoteError)
  expect(error).toMatchObject({ code: 'FORBIDDEN' })
  expect((error as Error).stack!.split('\n')[1]).toContain('web.test.ts')
})

test('WebSockets are opened by path, without the host, and there may be none', async () => {
  const socket = {} as WebSocket
  const connect = vi.fn(async () => socket)
  const { web } = asked({ connect })
  expect(await web.connect('wss://evil.test/live?room=1', { protocols: 'chat' })).toBe(socket)
  expect(connect).toHaveBeenCalledExactlyOnceWith({
    path: '/live?room=1',
    protocols: ['chat'],
    signal: undefined,
  })
  await expect(asked().web.connect('/live')).rejects.toMatchObject({ code: 'WEBSOCKET_UNSUPPORTED' })
})

test('an answer of a worker is not marked as such for whoever called', async () => {
  const given = new Response(null, { status: 204, headers: { 'x-flash-result': 'response', 'x-own': '1' } })
  const answer = await createWeb({ send: async () => given }).get('/')
  expect([answer.status, ...answer.headers]).toEqual([204, ['x-own', '1']])
})
