import { RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindStub } from './index.ts'
import { type Exchange, frame, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

/** A stub whose server does what the script says. */
async function stubOf(script: (exchange: Exchange, count: number) => unknown) {
  server = await startScriptedServer(script)
  return bindStub(`${server.url}/_flash`)(ref)
}

async function echo(exchange: Exchange) {
  exchange.accept('token')
  await exchange.end(exchange.value.args[0])
}

describe('a call', () => {
  test('sends one call message with the arguments by position', async () => {
    const stub = await stubOf(echo)
    expect(await stub({ deep: [1, 'two', null, true] }, 2)).toEqual({ deep: [1, 'two', null, true] })
    const [{ request, route, value }] = server!.exchanges as [Exchange]
    expect(request.url).toBe(`/_flash/rpc/${ref}`)
    expect(route).toBe(ref)
    expect(request.method).toBe('POST')
    expect(request.headers).toMatchObject({ 'content-type': 'application/x-flash; v=1', 'x-flash': '1' })
    expect(value).toEqual({ args: [{ deep: [1, 'two', null, true] }, 2] })
  })

  test('of routes on another origin brings the cookies for that origin', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const stub = await stubOf(echo)
    await stub(1)
    expect(fetch.mock.calls[0]![1]).toMatchObject({ credentials: 'include' })
  })

  const shared = { x: 1 }
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  for (const [what, value] of [
    ['undefined', undefined],
    ['null', null],
    ['minus zero', -0],
    ['NaN', Number.NaN],
    ['a bigint', 2n ** 80n],
    ['a date', new Date(0)],
    ['a map with a set', new Map([[1, new Set(['x'])]])],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['a URL', new URL('https://example.com/x')],
    ['a hole', Object.assign(Array(3), { 0: 1, 2: 3 })],
    ['text with every width', 'aä€😀\u0000\ud800'],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['an empty list', []],
    ['text of 100 kB', 'ä€'.repeat(20_000)],
    ['bytes of 300 kB', new Uint8Array(300_000).fill(7)],
  ] as const) {
    test(`carries ${what} there and back`, async () => {
      const stub = await stubOf(echo)
      expect(await stub(value)).toEqual(value)
    })
  }

  test('keeps one object at two places one, and a cycle a cycle', async () => {
    const stub = await stubOf(echo)
    const [first, second] = await stub([shared, shared])
    expect(first).toBe(second)
    const back = await stub(cyclic)
    expect(back.self).toBe(back)
  })

  test('sends a File without reading it, and its bytes arrive', async () => {
    const stub = await stubOf(async (exchange) => {
      const [file, note] = exchange.value.args
      await exchange.end([file.name, file.type, await file.text(), note])
    })
    const file = new File(['hello'], 'a.txt', { type: 'text/plain', lastModified: 5 })
    const read = vi.spyOn(file, 'arrayBuffer')
    expect(await stub(file, 'note')).toEqual(['a.txt', 'text/plain', 'hello', 'note'])
    expect(read).not.toHaveBeenCalled()
  })

  test('does not send more of a buffer than the view on it', async () => {
    const stub = await stubOf((exchange) => exchange.end(exchange.request.headers['content-length']))
    expect(Number(await stub(new Uint8Array(65_536).subarray(10, 12)))).toBeLessThan(200)
  })

  test('adds less than 200 bytes to a mebibyte each way', async () => {
    let sent = 0
    const stub = await stubOf(async (exchange) => {
      const answer = await frame('value', exchange.value.args[0])
      sent = answer.length
      exchange.write(answer)
      await exchange.end()
    })
    const bytes = await stub(new Uint8Array(1_048_576))
    expect(bytes.length).toBe(1_048_576)
    expect(sent).toBeLessThan(1_048_576 + 200)
    expect(Number(server!.exchanges[0]!.request.headers['content-length'])).toBeLessThan(1_048_576 + 200)
  })

  test('uses one connection for calls one after the other, though answers end behind their result', async () => {
    const ended: Promise<void>[] = []
    const stub = await stubOf(async (exchange) => {
      exchange.accept('token')
      await exchange.say('value', exchange.value.args[0])
      ended.push(
        new Promise((resolve) => {
          setTimeout(() => exchange.response.end(resolve), 20)
        }),
      )
    })
    for (let count = 0; count < 4; count++) {
      expect(await stub(count)).toBe(count)
      await ended[count]
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(server!.connections()).toBe(1)
  })

  test('passes over what a plain call has no use for', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept({ token: 'token', deadline: Date.now() + 1000 })
      await exchange.say('status', { status: 'IN_PROGRESS' })
      await exchange.say('progress', 0.5)
      await exchange.say('progress', new Map([[1, 2]]))
      await exchange.say('ping')
      await exchange.end('done')
    })
    expect(await stub()).toBe('done')
  })

  test('resolves to undefined when the answer ends without a value', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('token')
      await exchange.say('end')
      await exchange.end()
    })
    expect(await stub()).toBe(undefined)
    expect(await stub(undefined)).toBe(undefined)
  })

  for (const size of [1, 2, 7, 64]) {
    test(`understands an answer that comes in pieces of ${size} bytes`, async () => {
      const stub = await stubOf(async (exchange) => {
        const bytes = Buffer.concat([
          await frame('job', 'token'),
          await frame('ping'),
          await frame('progress', { half: new Uint8Array(3) }),
          await frame('value', exchange.value.args[0]),
        ])
        for (let at = 0; at < bytes.length; at += size) {
          exchange.write(bytes.subarray(at, at + size))
          await new Promise((resolve) => setImmediate(resolve))
        }
        await exchange.end()
      })
      expect(await stub('aä€😀')).toBe('aä€😀')
      expect(await stub(new Map([['k', new Uint8Array([1, 2])]]))).toEqual(
        new Map([['k', new Uint8Array([1, 2])]]),
      )
    })
  }

  test('says at the call what cannot travel, and where, before anything is sent', async () => {
    const stub = await stubOf(echo)
    await expect(stub({ deep: { cb: () => 1 } })).rejects.toMatchObject({
      code: 'CANNOT_CARRY',
      message: expect.stringContaining('argument 0.deep.cb'),
      stack: expect.stringContaining('stub.test.ts'),
    })
    expect(server!.exchanges).toEqual([])
  })
})

describe('what a stub is', () => {
  const stub = bindStub('/_flash')(ref) as any

  test('it is no promise, and JSON leaves it out', async () => {
    expect(stub.then).toBe(undefined)
    expect(stub.toJSON).toBe(undefined)
    expect(await stub).toBe(stub)
    expect(JSON.stringify({ stub })).toBe('{}')
  })

  test('making and binding one sends nothing', () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const bound = stub.with({ timeoutMs: 1 }).with({ idempotencyKey: 'x' })
    expect(typeof bound.run).toBe('function')
    bound.attach('token')
    bindStub('/_flash')(ref, 1)
    expect(fetch).not.toHaveBeenCalled()
  })
})

describe('a refused call', () => {
  test('rejects with what the route said', async () => {
    const stub = await stubOf((exchange) =>
      exchange.refuse(409, {
        code: 'SKEW',
        message: 'other build',
        hint: 'reload',
        data: { a: 1 },
        requestId: 'r1',
      }),
    )
    const error = await stub().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({
      code: 'SKEW',
      message: 'other build',
      hint: 'reload',
      data: { a: 1 },
      requestId: 'r1',
    })
  })

  for (const [what, status, body] of [
    ['a proxy error page', 502, '<html>Bad Gateway</html>'],
    ['a page where the route should be', 200, '<!doctype html><title>App</title>'],
    ['JSON of another API', 200, '{"code":"OK","message":"fine"}'],
    ['an empty answer', 404, ''],
  ] as const) {
    test(`is TRANSPORT for ${what}`, async () => {
      const stub = await stubOf((exchange) => exchange.foreign(status, body))
      await expect(stub()).rejects.toMatchObject({
        name: 'RemoteError',
        code: 'TRANSPORT',
        message: expect.stringContaining(`${status}`),
        data: { status, body },
      })
    })
  }

  test('shows only the beginning of a long foreign answer, and does not wait for its end', async () => {
    const stub = await stubOf((exchange) => {
      exchange.response.writeHead(502)
      exchange.response.write('x'.repeat(5000))
    })
    const error = await stub().catch((error: unknown) => error)
    expect(error.data.body).toBe('x'.repeat(200))
    await server!.exchanges[0]!.gone
  })

  for (const problem of ['{"message":"no code"}', '{"code":', 'null']) {
    test(`is TRANSPORT when a marked answer is no problem: ${problem}`, async () => {
      const stub = await stubOf(({ response }) => response.writeHead(500, { 'x-flash': '1' }).end(problem))
      await expect(stub()).rejects.toMatchObject({ code: 'TRANSPORT', data: { status: 500, body: problem } })
    })
  }

  test('is FORBIDDEN when the app says no in words of its own', async () => {
    const stub = await stubOf(({ response }) =>
      response.writeHead(401, { 'x-flash': '1' }).end('sign in first'),
    )
    await expect(stub()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('401: sign in first'),
      data: { status: 401, body: 'sign in first' },
    })
  })

  test('is TRANSPORT when nobody listens', async () => {
    const stub = await stubOf(() => {})
    await server!.close()
    await expect(stub()).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('nothing was sent'),
    })
  })
})

describe('an error of the function', () => {
  test('arrives with its class, data and cause, its own stack first and the caller behind it', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('token')
      await exchange.fail({
        name: 'TypeError',
        message: 'bad',
        code: 'MINE',
        data: { a: 1 },
        cause: { name: 'RangeError', message: 'why' },
        stack: 'TypeError: bad\n    at read (src/receipt.ts:3:9)',
      })
    })
    async function somebodyCalls() {
      return await stub(1)
    }
    const error = await somebodyCalls().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ message: 'bad', code: 'MINE', data: { a: 1 } })
    expect(error.cause).toBeInstanceOf(RangeError)
    const lines = error.stack.split('\n')
    expect(lines.slice(0, 2)).toEqual(['TypeError: bad', '    at read (src/receipt.ts:3:9)'])
    expect(lines[2]).toMatch(/somebodyCalls .*stub\.test\.ts/)
  })

  test('has the stack of the caller when the other side sends none', async () => {
    const stub = await stubOf((exchange) =>
      exchange.fail({ name: 'RemoteError', message: 'no', code: 'NOPE' }),
    )
    async function somebodyCalls() {
      return await stub(1)
    }
    const error = await somebodyCalls().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    const lines = error.stack.split('\n')
    expect(lines[0]).toBe('RemoteError: no')
    expect(lines[1]).toMatch(/somebodyCalls .*stub\.test\.ts/)
  })

  test('can have data that is not plain JSON', async () => {
    const stub = await stubOf(async (exchange) => {
      const { toWireError } = await import('@flash/protocol')
      const error = new RemoteError('MINE', 'no', { data: new Map([['at', new Date(0)]]) })
      await exchange.fail(toWireError(error, { stack: false }))
    })
    await expect(stub()).rejects.toMatchObject({ code: 'MINE', data: new Map([['at', new Date(0)]]) })
  })

  test('is the answer also when the result cannot be read', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('token')
      exchange.write(Uint8Array.of(7 | 64, 0, 0, 0, 0, 0, 0, 0, 2, 0x5b, 0x5d))
      await exchange.end()
    })
    await expect(stub()).rejects.toMatchObject({ stack: expect.stringContaining('stub.test.ts') })
  })
})

describe('output of the function', () => {
  test('goes to the console of the page', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const stub = await stubOf(async (exchange) => {
      exchange.accept('token')
      await exchange.say('log', { stream: 'stdout', text: 'loading\n' })
      await exchange.say('log', { stream: 'stderr', text: 'careful' })
      await exchange.end(1)
    })
    expect(await stub()).toBe(1)
    expect(log.mock.calls).toEqual([['[flash] loading']])
    expect(error.mock.calls).toEqual([['[flash] careful']])
  })
})

describe('a part of the app that cannot be loaded', () => {
  test('leaves plain calls as they are, and errors at least with the code that the answer had', async () => {
    vi.doMock('./rest.ts', () => {
      throw new Error('404')
    })
    vi.resetModules()
    const fresh = await import('./index.ts')
    server = await startScriptedServer((exchange, count) => {
      if (count === 1) exchange.refuse(409, { code: 'SKEW', message: 'other build' })
      else if (count === 2) exchange.cut()
      else return echo(exchange)
    })
    const stub = fresh.bindStub(server.url)(ref)
    await expect(stub()).rejects.toMatchObject({
      code: 'SKEW',
      message: 'other build',
      cause: expect.any(Error),
    })
    await expect(stub()).rejects.toMatchObject({ code: 'TRANSPORT' })
    expect(await stub('x'.repeat(60_000))).toBe('x'.repeat(60_000))
    vi.doUnmock('./rest.ts')
    vi.resetModules()
  })
})
