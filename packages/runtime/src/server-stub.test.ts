import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type LocalRuntime, serverClass, serverRoute, serverStub } from './index.ts'
import {
  type Exchange,
  frame,
  readCall,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.ts'

const id = 'aaaaaaaaaaaaaaaa'
const info = { name: 'receipt-ocr', at: 'src/receipt.ts:5' }
const devKey = Symbol.for('unplugin-flash.dev')
const bundlesKey = Symbol.for('unplugin-flash.bundles')
const shared = globalThis as { [key: symbol]: Map<string, LocalRuntime> | undefined }

let server: ScriptedServer | undefined
let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-runtime-')))
  vi.spyOn(process, 'cwd').mockReturnValue(folder)
  vi.stubEnv('NODE_ENV', 'test')
  vi.stubEnv('FLASH_DEV_URL', undefined)
  vi.stubEnv('FLASH_DEV_TOKEN', undefined)
  vi.stubEnv('FLASH_LOCAL_URL', undefined)
  vi.stubEnv('FLASH_LOCAL_TOKEN', undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  delete shared[devKey]
  delete shared[bundlesKey]
  rmSync(folder, { recursive: true })
  await server?.close()
  server = undefined
})

async function echo(exchange: Exchange) {
  exchange.accept({ token: 'sealed', id: 'job-1' })
  if (exchange.value.run) return exchange.end()
  await exchange.end(exchange.value)
}

async function startServer(script: (exchange: Exchange) => unknown = echo) {
  server = await startScriptedServer(script)
  return server
}

/** A dev runtime in this process that answers with its own name. */
function runtimeOf(name: string, ...known: string[]): LocalRuntime & { requests: Request[] } {
  const requests: Request[] = []
  return {
    requests,
    has: (id) => known.includes(id),
    async fetch(request) {
      requests.push(request)
      const answer = [await frame('job', 't'), await frame('value', name)]
      return new Response(new Blob(answer), { headers: { 'x-flash': '1' } })
    },
  }
}

function writeDevFile(at: string, content: unknown) {
  mkdirSync(join(at, '.flash'), { recursive: true })
  writeFileSync(join(at, '.flash/dev.json'), typeof content === 'string' ? content : JSON.stringify(content))
}

/** The id of a process that has ended. */
function goneProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

describe('a dev server', () => {
  test('in this process is called without the network', async () => {
    const runtime = runtimeOf('here', id)
    shared[devKey] = new Map([['/app', runtime]])
    const fetch = vi.spyOn(globalThis, 'fetch')
    expect(await serverStub(id, 0, info)({ a: 1 }, new Date(0))).toBe('here')
    expect(fetch).not.toHaveBeenCalled()
    const [request] = runtime.requests as [Request]
    expect(request.method).toBe('POST')
    expect(new URL(request.url).pathname).toBe(`/rpc/${id}`)
    expect(request.headers.get('x-flash')).toBe('1')
    expect(request.headers.get('content-type')).toBe('application/x-flash; v=1')
    expect(readCall(await request.bytes())).toEqual({ args: [{ a: 1 }, new Date(0)] })
  })

  test('in this process is chosen by whether it knows the function', async () => {
    shared[devKey] = new Map([
      ['/one', runtimeOf('one')],
      ['/two', runtimeOf('two', id)],
    ])
    expect(await serverStub(id, 0, info)()).toBe('two')
  })

  test('in this process is the last to ask when it does not know the function', async () => {
    shared[devKey] = new Map([['/one', runtimeOf('one')]])
    expect(await serverStub(id, 0, info)()).toBe('one')
    const { url } = await startServer()
    vi.stubEnv('FLASH_DEV_URL', url)
    vi.stubEnv('FLASH_DEV_TOKEN', 'secret')
    expect(await serverStub(id, 0, info)()).toEqual({ args: [] })
  })

  test('in this process stops with the signal', async () => {
    const controller = new AbortController()
    let request: Request | undefined
    const runtime = {
      has: () => true,
      fetch: (given: Request) => {
        request = given
        return new Promise<never>(() => {})
      },
    }
    shared[devKey] = new Map([['/app', runtime]])
    const call = serverStub(id, 0, info).with({ signal: controller.signal })()
    await vi.waitUntil(() => request, { interval: 2 })
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    expect(request!.signal.aborted).toBe(true)
  })

  test('is found by the environment', async () => {
    const { url, exchanges } = await startServer()
    vi.stubEnv('FLASH_DEV_URL', `${url}/`)
    vi.stubEnv('FLASH_DEV_TOKEN', 'secret')
    writeDevFile(folder, { url: 'http://127.0.0.1:1', token: 'other', pid: process.pid, root: folder })
    expect(await serverStub(id, 0, info)(1)).toEqual({ args: [1] })
    expect(exchanges[0]!.request.url).toBe(`/rpc/${id}`)
    expect(exchanges[0]!.request.headers.authorization).toBe('Bearer secret')
  })

  test('is found by its file in a folder above', async () => {
    const { url, exchanges } = await startServer()
    writeDevFile(folder, { url, token: 'from file', pid: process.pid, root: folder })
    const inner = join(folder, 'packages/app')
    writeDevFile(inner, { url: 'http://127.0.0.1:1', token: 'stale', pid: goneProcess(), root: inner })
    vi.mocked(process.cwd).mockReturnValue(inner)
    expect(await serverStub(id, 0, info)(1)).toEqual({ args: [1] })
    expect(exchanges[0]!.request.headers.authorization).toBe('Bearer from file')
  })

  for (const [what, content] of [
    [
      'whose process is gone',
      () => ({ url: 'http://127.0.0.1:1', token: 't', pid: goneProcess(), root: '/' }),
    ],
    ['without a process', () => ({ url: 'http://127.0.0.1:1', token: 't', root: '/' })],
    ['with a process group instead of a process', () => ({ url: 'http://127.0.0.1:1', token: 't', pid: 0 })],
    ['without a token', () => ({ url: 'http://127.0.0.1:1', pid: process.pid })],
    ['that is written just now', () => '{"url":"http://127.'],
    ['that is empty', () => ''],
    ['that is no object', () => 'null'],
  ] as const) {
    test(`is not looked for behind a file ${what}`, async () => {
      writeDevFile(folder, content())
      await expect(serverStub(id, 0, info)()).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    })
  }

  test('of another user counts', async () => {
    const { url } = await startServer()
    writeDevFile(folder, { url, token: 't', pid: 1234, root: folder })
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' })
    })
    expect(await serverStub(id, 0, info)()).toEqual({ args: [] })
  })

  test('is looked up anew for each call', async () => {
    const { url } = await startServer()
    const stub = serverStub(id, 0, info)
    await expect(stub()).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    writeDevFile(folder, { url, token: 't', pid: process.pid, root: folder })
    expect(await stub()).toEqual({ args: [] })
    await server!.close()
    shared[devKey] = new Map([['/app', runtimeOf('moved', id)]])
    expect(await stub()).toBe('moved')
  })

  test('is never looked for in production', async () => {
    const { url, exchanges } = await startServer()
    vi.stubEnv('NODE_ENV', 'production')
    vi.stubEnv('FLASH_DEV_URL', url)
    vi.stubEnv('FLASH_DEV_TOKEN', 't')
    writeDevFile(folder, { url, token: 't', pid: process.pid, root: folder })
    shared[devKey] = new Map([['/app', runtimeOf('here', id)]])
    // It says nothing of the dev server, which runs.
    await expect(serverStub(id, 0, info)()).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
      message: expect.stringMatching(/"receipt-ocr".*production process.*does not look/),
      hint: expect.stringContaining('FLASH_ENDPOINT_RECEIPT_OCR'),
    })
    expect(exchanges).toEqual([])
  })
})

describe('the built bundles', () => {
  test('of this process are called without the network, in production too', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    shared[bundlesKey] = new Map([
      ['/one', runtimeOf('one')],
      ['/two', runtimeOf('two', id)],
    ])
    expect(await serverStub(id, 0, info)(1)).toBe('two')
  })

  test('are found by the environment, in production too', async () => {
    const { url, exchanges } = await startServer()
    vi.stubEnv('NODE_ENV', 'production')
    vi.stubEnv('FLASH_LOCAL_URL', url)
    await expect(serverStub(id, 0, info)(1)).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    vi.stubEnv('FLASH_LOCAL_TOKEN', 'secret')
    // Those of this process are others.
    shared[bundlesKey] = new Map([['/one', runtimeOf('one')]])
    expect(await serverStub(id, 0, info)(1)).toEqual({ args: [1] })
    expect(exchanges[0]!.request.url).toBe(`/rpc/${id}`)
    expect(exchanges[0]!.request.headers.authorization).toBe('Bearer secret')
  })

  test('come after a dev server', async () => {
    shared[bundlesKey] = new Map([['/app', runtimeOf('built', id)]])
    shared[devKey] = new Map([['/app', runtimeOf('served', id)]])
    expect(await serverStub(id, 0, info)()).toBe('served')
  })
})

describe('without any address', () => {
  test('a call says which endpoint, where it is written, and what to do', async () => {
    async function somebodyCalls() {
      return await serverStub(id, 0, info)(1)
    }
    await expect(somebodyCalls()).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'ENDPOINT_NOT_DEPLOYED',
      message: expect.stringMatching(/"receipt-ocr".*src\/receipt\.ts:5/),
      hint: expect.stringContaining('vite dev'),
      stack: expect.stringContaining('somebodyCalls'),
    })
    await expect(serverStub(id, 0, info).with({ timeoutMs: 1000 })()).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
    })
  })

  test('also in a runtime that has no processes', async () => {
    const stub = serverStub(id, 0, info)
    await stub(1).catch(() => {})
    vi.stubGlobal('process', undefined)
    try {
      await expect(stub(1)).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('also in one that has no files', async () => {
    const getBuiltinModule = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    await expect(serverStub(id, 0, info)(1)).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    expect(getBuiltinModule).toHaveBeenCalled()
  })

  test('a job whose server is gone is given up after some tries', async () => {
    const { url } = await startServer()
    vi.stubEnv('FLASH_DEV_URL', url)
    vi.stubEnv('FLASH_DEV_TOKEN', 't')
    const job = await serverStub(id, 0, info).run(1)
    vi.stubEnv('FLASH_DEV_URL', undefined)
    await expect(job.wait()).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  })
})

describe('on a server', () => {
  beforeEach(() => {
    vi.stubEnv('FLASH_DEV_TOKEN', 't')
  })

  test('every option passes', async () => {
    vi.stubEnv('FLASH_DEV_URL', (await startServer()).url)
    const options = {
      timeoutMs: 1000,
      idempotencyKey: 'k',
      executionTimeoutMs: 2000,
      ttlMs: 3000,
      lowPriority: true,
      webhook: 'https://example.com/hook',
      s3Config: { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' },
    }
    expect(await serverStub(id, 0, info).with(options)(1)).toEqual({ args: [1], ...options })
  })

  test('warm() asks for setup only, and says why it failed', async () => {
    vi.stubEnv(
      'FLASH_DEV_URL',
      (
        await startServer(async (exchange) => {
          if (exchange.value.idempotencyKey)
            return exchange.refuse(500, { code: 'SETUP_FAILED', message: 'no' })
          await exchange.say('ping')
          await exchange.say('end')
          await exchange.end()
        })
      ).url,
    )
    const stub = serverStub(id, 0, info)
    expect(await stub.warm()).toBe(undefined)
    expect(server!.exchanges[0]!.value).toEqual({ args: [], warm: true })
    await expect(stub.with({ idempotencyKey: 'x' }).warm()).rejects.toMatchObject({ code: 'SETUP_FAILED' })
  })

  test('a job is known by its plain id', async () => {
    vi.stubEnv('FLASH_DEV_URL', (await startServer()).url)
    const job = await serverStub(id, 0, info).run(1)
    expect(job.id).toBe('job-1')
    await job.wait()
    await job.cancel()
    await serverStub(id, 0, info).attach('job-1').wait()
    expect(server!.exchanges.slice(1).map(({ route, value }) => [route, value])).toEqual([
      ['resume', { token: 'sealed', from: 0 }],
      ['cancel', { token: 'sealed' }],
      ['resume', { token: 'job-1', from: 0 }],
    ])
  })

  test('generators and classes work as in a browser', async () => {
    vi.stubEnv(
      'FLASH_DEV_URL',
      (
        await startServer(async (exchange) => {
          exchange.accept('t')
          await exchange.say('item', exchange.value)
          await exchange.say('end')
          await exchange.end()
        })
      ).url,
    )
    for await (const item of serverStub(id, 1, info)(1)) expect(item).toEqual({ args: [1] })
    const Model = serverClass(id, '*tokens', info)
    for await (const item of (new Model('small') as any).tokens(2)) {
      expect(item).toEqual({ new: ['small'], fn: 'tokens', args: [2] })
    }
  })

  test('output of the function is not printed: the server has it already', async () => {
    const log = vi.spyOn(console, 'log')
    vi.stubEnv(
      'FLASH_DEV_URL',
      (
        await startServer(async (exchange) => {
          exchange.accept('t')
          await exchange.say('log', { stream: 'stdout', text: 'x' })
          await exchange.end(1)
        })
      ).url,
    )
    expect(await serverStub(id, 0, info)()).toBe(1)
    expect(log).not.toHaveBeenCalled()
  })

  test('a dev server that does not answer is named as such', async () => {
    const { url, close } = await startServer()
    await close()
    vi.stubEnv('FLASH_DEV_URL', url)
    await expect(serverStub(id, 0, info)()).rejects.toMatchObject({ code: 'TRANSPORT' })
  })
})

describe('a call that a remote function makes', () => {
  const contextKey = Symbol.for('unplugin-flash.context')
  const contexts = globalThis as { [key: symbol]: unknown }
  const storage = new AsyncLocalStorage<object>()
  beforeEach(() => {
    contexts[contextKey] = storage
  })
  afterEach(() => {
    delete contexts[contextKey]
  })
  const inside = <T>(hops: number, work: () => T, more: { deadline?: number; signal?: AbortSignal } = {}) =>
    storage.run(
      {
        endpoint: 'outer',
        signal: new AbortController().signal,
        deadline: null,
        ...more,
        [Symbol.for('unplugin-flash.hops')]: hops,
      },
      work,
    )
  const chainOf = (request: Request) =>
    ['hops', 'deadline'].map((name) => request.headers.get(`x-flash-${name}`))

  test('says how many led to it, and until when its answer is of use', async () => {
    const runtime = runtimeOf('here', id)
    shared[devKey] = new Map([['/app', runtime]])
    const read = serverStub(id, 0, info)
    await read()
    await inside(2, () => read())
    await inside(15, () => read(), { deadline: 9e12 })
    expect(runtime.requests.map(chainOf)).toEqual([
      ['1', null],
      ['3', null],
      ['16', '9000000000000'],
    ])
  })

  test('is not sent as one of a chain that is too long', async () => {
    const runtime = runtimeOf('here', id)
    shared[devKey] = new Map([['/app', runtime]])
    const loop = {
      name: 'RemoteError',
      code: 'CALL_LOOP',
      message: expect.stringMatching(/^endpoint "outer" calls endpoint "receipt-ocr" as number 17/),
    }
    await expect(inside(16, () => serverStub(id, 0, info)())).rejects.toMatchObject(loop)
    await expect(inside(16, () => serverRoute(id, 'GET', '/', info)())).rejects.toMatchObject(loop)
    expect(runtime.requests).toEqual([])
  })

  test('ends with the call that makes it', async () => {
    const outer = new AbortController()
    const reason = new Error('the outer call was cancelled')
    await startServer((exchange) => {
      exchange.accept({ token: 'sealed', id: 'job-1' })
      outer.abort(reason)
    })
    vi.stubEnv('FLASH_DEV_URL', server!.url)
    vi.stubEnv('FLASH_DEV_TOKEN', 't')
    await expect(inside(0, () => serverStub(id, 0, info)(), { signal: outer.signal })).rejects.toBe(reason)
  })
})
