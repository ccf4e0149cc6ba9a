import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createTestClock } from '@flash/protocol'
import { serverStub } from '@flash/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type BundlesOptions, type LocalBundles, openBundles } from './bundles.ts'
import {
  type BuiltEndpoint,
  type BuiltProject,
  createBuiltProject,
  functionOf,
  idOf,
  runCall,
  webOf,
} from './testing.ts'

const back: BuiltEndpoint = {
  code: `
define('double', (n: number) => n * 2)
define('where', () => ({ cwd: process.cwd(), env: { ...process.env }, pid: process.pid }))
define('exit', () => { console.error('last words'); process.exit(3) })
define('loop', () => { for (;;); })
define('fail', (kind: string): never => { throw new TypeError('no ' + kind) })
define('secret', () => process.env.UNNAMED ?? 'nothing')
define('held', async (ms: number) => { await new Promise((done) => setTimeout(done, ms)); return process.pid })
`,
  functions: ['double', 'where', 'exit', 'loop', 'fail', 'secret', 'held'].map((name) =>
    functionOf(name, ['a']),
  ),
  config: {
    env: ['TOKEN', 'FROM_FILE'],
    volumes: { kind: 'network', name: 'models' },
    executionTimeoutMs: 5_000,
    dev: { workers: 2 },
  },
}

const front: BuiltEndpoint = {
  code: `
const double = serverStub('${idOf('double')}', 0, { name: 'back', at: 'src/back.ts:1' })
define('quadruple', async (n: number) => await double((await double(n)) as number))
`,
  functions: [functionOf('quadruple', ['n'])],
}

let project: BuiltProject
let bundles: LocalBundles | undefined
const printed: string[] = []
beforeAll(async () => {
  project = createBuiltProject()
  await project.build({ back, front })
})
afterEach(async () => {
  await bundles?.close()
  bundles = undefined
  printed.length = 0
})
afterAll(() => project.remove())

async function open(more: Partial<BundlesOptions> = {}): Promise<LocalBundles> {
  bundles = await openBundles({
    folder: project.folder,
    root: project.root,
    processEnv: { PATH: process.env.PATH, TOKEN: 'from process', OTHER: 'stays here' },
    envFiles: { FROM_FILE: 'from file', UNNAMED: 'secret' },
    onOutput: (endpoint, stream, text) => printed.push(`${endpoint} ${stream} ${text}`),
    onError: (error) => printed.push(String(error)),
    ...more,
  })
  return bundles
}

const caught = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error as any,
  )

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function untilGone(pid: number): Promise<boolean> {
  const until = Date.now() + 10_000
  while (isAlive(pid) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  return !isAlive(pid)
}

describe('a build', () => {
  test('that is not there is asked for', async () => {
    await expect(open({ folder: join(project.root, 'nowhere') })).rejects.toMatchObject({
      code: 'BUILD_MISSING',
      message: 'there is no build: nowhere/flash_manifest.json does not exist',
      hint: 'run `vite build` first',
    })
  })

  test('that cannot be read says so', async () => {
    project.write('broken/flash_manifest.json', '{}')
    await expect(open({ folder: join(project.root, 'broken') })).rejects.toMatchObject({
      code: 'BAD_MANIFEST',
    })
    await expect(open({ folder: project.root, root: '/' })).rejects.toMatchObject({ code: 'BUILD_MISSING' })
  })

  test('starts nothing before it is called', async () => {
    const { backend, manifest, endpoint } = await open()
    expect(Object.keys(manifest.endpoints)).toEqual(['back', 'front'])
    expect(await backend.find(idOf('double'))).toEqual({ endpoint: 'back', maxBodyBytes: 20_000_000 })
    expect(await backend.find('unknown')).toBeNull()
    expect(endpoint('back').workers()).toEqual({ idle: 0, ready: 0, running: 0 })
  })
})

describe('a bundle', () => {
  test('runs as it would in a container: its folder, its variables, production', async () => {
    const { backend } = await open()
    const { cwd, env } = (await runCall(backend, 'where')) as { cwd: string; env: Record<string, string> }
    expect(cwd).toBe(join(project.folder, 'back'))
    expect(env).toEqual({
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      TOKEN: 'from process',
      FROM_FILE: 'from file',
      FLASH_VOLUME: join(project.root, '.flash/volumes/models'),
      FLASH_LOCAL_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      FLASH_LOCAL_TOKEN: expect.any(String),
    })
    expect(existsSync(env.FLASH_VOLUME!)).toBe(true)
  })

  test('that lacks a variable says so at each call, until it is there', async () => {
    const processEnv: Record<string, string | undefined> = { PATH: process.env.PATH }
    const { backend, endpoint } = await open({ processEnv, envFiles: {} })
    expect(await caught(runCall(backend, 'double', [1]))).toMatchObject({
      code: 'ENV_MISSING',
      message: expect.stringContaining('"TOKEN", "FROM_FILE"'),
      hint: 'put TOKEN, FROM_FILE in .env.local or the environment of this process',
    })
    expect(() => endpoint('back')).toThrow(expect.objectContaining({ code: 'ENV_MISSING' }))
    Object.assign(processEnv, { TOKEN: 't', FROM_FILE: 'f' })
    expect(await runCall(backend, 'double', [1])).toBe(2)
  })

  test('that lacks a variable where no files are read is not told of any', async () => {
    const { backend } = await open({ processEnv: { PATH: process.env.PATH }, envFiles: undefined })
    expect(await caught(runCall(backend, 'double', [1]))).toMatchObject({
      code: 'ENV_MISSING',
      hint: 'put TOKEN, FROM_FILE in the environment of this process',
    })
  })

  test('is told of a variable that it does not name', async () => {
    const { backend } = await open()
    expect(await runCall(backend, 'secret')).toBe('nothing')
    expect(printed).toEqual([expect.stringMatching(/^back stderr process\.env\.UNNAMED is in a \.env file/)])
  })

  test('throws errors that name the lines their author wrote', async () => {
    const error = await caught(runCall((await open()).backend, 'fail', ['luck']))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe('no luck')
    expect(error.stack).toContain(`${join(project.root, 'src/back.ts')}:10:`)
  })

  test('that ends fails its call with its last words, and the next call starts another', async () => {
    const { backend } = await open()
    expect(await caught(runCall(backend, 'exit'))).toMatchObject({
      code: 'WORKER_CRASHED',
      message: expect.stringMatching(/exited with code 3 .*last words/s),
    })
    expect(await runCall(backend, 'double', [2])).toBe(4)
  })

  test('calls other endpoints', async () => {
    const { backend } = await open()
    expect(await runCall(backend, 'quadruple', [3])).toBe(12)
  })

  test('has as many processes as its config says', async () => {
    const { backend } = await open()
    const pids = await Promise.all([runCall(backend, 'held', [400]), runCall(backend, 'held', [400])])
    expect(new Set(pids).size).toBe(2)
  })

  test('that runs too long is ended at the limit of its config', async () => {
    const clock = createTestClock()
    const { backend, endpoint } = await open({ clock })
    const call = caught(runCall(backend, 'loop'))
    await vi.waitFor(() => expect(endpoint('back').queue.load().running).toBe(1))
    clock.advance(5_000)
    expect(await call).toMatchObject({
      code: 'TIMEOUT',
      message: 'endpoint "back": the job ran longer than its execution timeout of 5000 ms',
    })
  })
})

describe('a bundle that does not begin', () => {
  const needy: BuiltEndpoint = {
    code: `import { name } from 'flash-test-needed'\nimport other from '@flash-test/other'\ndefine('needs', () => name + other)`,
    functions: [functionOf('needs')],
    externals: [
      { name: '@flash-test/other', version: '2.0.0', reason: 'native' },
      { name: 'flash-test-needed', version: '1.2.3', reason: 'listed' },
    ],
  }
  const broken: BuiltEndpoint = {
    code: `const top = (): never => { throw new RangeError('at the top') }\ntop()`,
    functions: [functionOf('broken')],
  }

  test('for want of a package has the command that installs it', async () => {
    const own = createBuiltProject()
    await own.build({ needy })
    const { backend } = await open({ folder: own.folder, root: own.root })
    expect(await caught(runCall(backend, 'needs'))).toMatchObject({
      code: 'DEPENDENCY_NOT_INSTALLED',
      message:
        'the bundle of "needy" imports "@flash-test/other", "flash-test-needed", and they are not installed',
      hint: 'run: npm install @flash-test/other@2.0.0 flash-test-needed@1.2.3',
    })
    own.write('node_modules/@flash-test/other/index.js', 'module.exports = " and more"')
    expect(await caught(runCall(backend, 'needs'))).toMatchObject({
      message: 'the bundle of "needy" imports "flash-test-needed", and it is not installed',
    })
    own.write('node_modules/flash-test-needed/package.json', '{"type":"module","exports":"./main.js"}')
    own.write('node_modules/flash-test-needed/main.js', 'export const name = "here"')
    expect(await runCall(backend, 'needs')).toBe('here and more')
    own.remove()
  })

  test('for an error at the top of a module says where', async () => {
    const own = createBuiltProject()
    await own.build({ broken })
    const { backend } = await open({ folder: own.folder, root: own.root })
    expect(await caught(runCall(backend, 'broken'))).toMatchObject({
      code: 'MODULE_FAILED',
      message: 'the bundle could not be loaded: at the top',
      hint: 'correct it, and build again',
      data: { at: { file: 'src/broken.ts', line: 5 } },
    })
    own.remove()
  })

  test('for want of its file asks for a build', async () => {
    const own = createBuiltProject()
    await own.build({ broken })
    const { backend } = await open({ folder: own.folder, root: own.root })
    rmSync(join(own.folder, 'broken/main.mjs'))
    expect(await caught(runCall(backend, 'broken'))).toMatchObject({
      code: 'BUILD_MISSING',
      hint: 'run `vite build` again',
    })
    own.remove()
  })
})

describe('who may call', () => {
  test('server code of this process, without a token', async () => {
    await open()
    const double = serverStub(idOf('double'), 0, { name: 'back', at: 'src/page.ts:1' })
    expect(await double(21)).toBe(42)
    await bundles!.close()
    await expect(double(21)).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  })

  test('other processes with the token, and nobody without', async () => {
    const { backend } = await open()
    const { env } = (await runCall(backend, 'where')) as { env: Record<string, string> }
    const ask = (token: string) =>
      fetch(`${env.FLASH_LOCAL_URL}/rpc/${idOf('double')}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      })
    const refused = await ask('wrong')
    expect([refused.status, await refused.json()]).toEqual([
      401,
      expect.objectContaining({ code: 'UNAUTHORIZED', hint: 'it is in the variable FLASH_LOCAL_TOKEN' }),
    ])
    // The route itself answers: it was no call.
    expect(await (await ask(env.FLASH_LOCAL_TOKEN!)).json()).toMatchObject({ code: 'UNSUPPORTED_TYPE' })
  })

  test('of two hosts of one build, the one that closes takes only itself away', async () => {
    const first = await open()
    const second = await open()
    await first.close()
    const double = serverStub(idOf('double'), 0, { name: 'back', at: '' })
    expect(await double(1)).toBe(2)
    await second.close()
    await expect(double(1)).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  })
})

describe('another build', () => {
  test('reaches the next call; what did not change keeps its processes', async () => {
    const own = createBuiltProject()
    const still: BuiltEndpoint = {
      code: `define('still', () => process.pid)`,
      functions: [functionOf('still')],
    }
    const version = (text: string, hash: string): BuiltEndpoint => ({
      code: `define('version', () => ['${text}', process.env.ADDED ?? null])`,
      functions: [functionOf('version')],
      config: hash === '2' ? { env: ['ADDED'] } : {},
      hash,
    })
    await own.build({
      still,
      changing: version('one', '1'),
      gone: { ...still, functions: [functionOf('gone')] },
    })
    const processEnv: Record<string, string | undefined> = { PATH: process.env.PATH }
    const { backend, restart, endpoint } = await open({ folder: own.folder, root: own.root, processEnv })
    const pid = await runCall(backend, 'still')
    expect(await runCall(backend, 'version')).toEqual(['one', null])
    const gone = endpoint('gone')
    const job = gone.submit({
      fact: functionOf('gone') as never,
      input: {},
      parts: [],
      foreign: true,
      kind: 'run',
    })

    restart(await own.build({ still, changing: version('two', '2') }))
    expect(await caught(runCall(backend, 'version'))).toMatchObject({ code: 'ENV_MISSING' })
    processEnv.ADDED = 'now'
    expect(await runCall(backend, 'version')).toEqual(['two', 'now'])
    expect(await runCall(backend, 'still')).toBe(pid)
    expect(bundles!.manifest.endpoints).not.toHaveProperty('gone')
    expect(await backend.find(idOf('gone'))).toBeNull()
    expect(gone.queue.status(job.id)).toBeUndefined()
    expect(() => endpoint('gone')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_ENDPOINT', hint: 'it has: still, changing' }),
    )
    restart(await own.build({}))
    expect(() => endpoint('toString')).toThrow(expect.objectContaining({ hint: 'run `vite build` again' }))
    own.remove()
  })
})

describe('an endpoint with a web app', () => {
  const siteOf = (text: string, hash = '1'): BuiltEndpoint => ({
    kind: 'balanced',
    code: `web('site', { async fetch(request: Request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/exit') { console.error('last words'); process.exit(3) }
  return Response.json({ text: '${text}', pathname, pid: process.pid, body: await request.text(),
    token: request.headers.get('x-flash-worker-token') })
} })`,
    functions: [webOf('site')],
    hash,
  })
  const still: BuiltEndpoint = { code: `define('still', () => 1)`, functions: [functionOf('still')] }
  let own: BuiltProject
  beforeAll(async () => {
    own = createBuiltProject()
  })
  afterAll(() => own.remove())

  async function openSite(site = siteOf('one')) {
    await own.build({ site, still })
    const opened = await open({ folder: own.folder, root: own.root })
    const ask = async (path: string, body: string | null = null) => {
      const answer = await opened.backend.fetch(idOf('site'), {
        method: body === null ? 'GET' : 'POST',
        path,
        headers: new Headers(),
        body: body === null ? null : new TextEncoder().encode(body),
        signal: new AbortController().signal,
      })
      return (await answer.json()) as Record<string, unknown>
    }
    return { ...opened, ask }
  }

  test('answers in its bundle, and nobody else asks it', async () => {
    const { ask, balanced } = await openSite()
    const answer = await ask('/a%20b?x', 'body')
    expect(answer).toMatchObject({ text: 'one', pathname: '/a%20b', body: 'body', token: null })
    expect(answer.pid).not.toBe(process.pid)
    const { url, release } = await balanced('site').seat({ signal: new AbortController().signal })
    expect((await fetch(url)).status).toBe(403)
    release()
  })

  test('tells how its process ended, and goes on in a fresh one', async () => {
    const { ask } = await openSite()
    const { pid } = await ask('/')
    expect(await caught(ask('/exit'))).toMatchObject({
      code: 'WORKER_CRASHED',
      message: expect.stringMatching(/exited with code 3[^]*last words/),
    })
    expect((await ask('/')).pid).not.toBe(pid)
  })

  test('goes on with another build, and is none with a queue', async () => {
    const { ask, restart, balanced, endpoint } = await openSite()
    expect((await ask('/')).text).toBe('one')
    const missing = expect.objectContaining({ code: 'UNKNOWN_ENDPOINT' })
    expect(() => endpoint('site')).toThrow(missing)
    expect(() => balanced('still')).toThrow(missing)
    restart(await own.build({ site: siteOf('two', '2'), still }))
    expect((await ask('/')).text).toBe('two')
    restart(await own.build({ still }))
    expect(() => balanced('site')).toThrow(missing)
  })

  test('that does not load says so at once', async () => {
    const { ask } = await openSite({ ...siteOf(''), code: `throw new Error('not today')` })
    expect(await caught(ask('/'))).toMatchObject({ message: expect.stringContaining('not today') })
  })
})

describe('nothing is left running', () => {
  test('after close', async () => {
    const { backend } = await open()
    const { pid } = (await runCall(backend, 'where')) as { pid: number }
    await bundles!.close()
    expect(await untilGone(pid)).toBe(true)
    // Whoever asks still starts nothing.
    const closed = expect.objectContaining({ code: 'NO_WORKERS' })
    expect(() => bundles!.endpoint('front')).toThrow(closed)
    expect(() => bundles!.balanced('site')).toThrow(closed)
  })

  test('after the host was killed, also with a function in an endless loop', async () => {
    const host = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { openBundles } from ${JSON.stringify(join(import.meta.dirname, 'bundles.ts'))}
         import { runCall } from ${JSON.stringify(join(import.meta.dirname, 'testing.ts'))}
         const bundles = await openBundles({
           folder: ${JSON.stringify(project.folder)}, root: ${JSON.stringify(project.root)},
           envFiles: { TOKEN: 't', FROM_FILE: 'f' }, onOutput() {}, onError: console.error })
         const { pid } = await runCall(bundles.backend, 'where')
         void runCall(bundles.backend, 'loop')
         setTimeout(() => console.log(pid), 500)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
    )
    const pid = await new Promise<number>((found) => host.stdout.on('data', (text) => found(Number(text))))
    expect(isAlive(pid)).toBe(true)
    host.kill('SIGKILL')
    expect(await untilGone(pid)).toBe(true)
  })
})
