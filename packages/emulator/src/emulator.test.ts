import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { get } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bundleFolder, createTestClock, parseEndpointConfig } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEmulator } from './emulator.ts'
import { createExternalLauncher } from './launchers/external.ts'
import type { Launcher } from './launchers/launcher.ts'
import { createCaller, startEmulator } from './testing.ts'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const canChoose = major > 24 || (major === 24 && minor >= 9)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(...given: Parameters<typeof startEmulator>) {
  const world = await startEmulator(...given)
  cleanUps.push(async () => {
    await world.emulator.close()
    expect(world.errors).toEqual([])
  })
  return world
}

test('a job goes from a client to a worker and back', async () => {
  const { call, worker } = await start()
  const one = await worker()
  const taking = one.take()
  const submitted = await call('POST', '/run', { input: { n: 3 } })
  expect(submitted).toMatchObject({
    status: 200,
    body: { id: expect.stringMatching(/-u1$/), status: 'IN_QUEUE' },
  })
  const taken = await taking
  expect(taken).toMatchObject({ status: 200, body: { id: submitted.body.id, input: { n: 3 } } })
  const path = `/status/${submitted.body.id}`
  expect((await call('GET', path)).body).toMatchObject({ status: 'IN_PROGRESS', workerId: one.id })
  expect((await one.done(taken.body.id, { status: 'IN_PROGRESS', output: 40 })).status).toBe(200)
  expect((await call('POST', path)).body).toMatchObject({ status: 'IN_PROGRESS', output: 40 })
  expect((await one.done(taken.body.id, { output: { sum: 6 } })).status).toBe(200)
  expect((await call('GET', path)).body).toEqual({
    id: taken.body.id,
    status: 'COMPLETED',
    workerId: one.id,
    delayTime: expect.any(Number),
    executionTime: expect.any(Number),
    output: { sum: 6 },
  })
})

const program = `
const { RUNPOD_WEBHOOK_GET_JOB: take, RUNPOD_WEBHOOK_POST_OUTPUT: done, RUNPOD_AI_API_KEY: authorization } = process.env
for (;;) {
  const answer = await fetch(take, { headers: { authorization } })
  if (answer.status !== 200) continue
  const { id, input } = await answer.json()
  const body = JSON.stringify({ output: { doubled: input.n * 2, mine: process.env.MINE } })
  await fetch(done.replace('$ID', id), { method: 'POST', headers: { authorization }, body })
}`

test('a program is started for the first job, and gone when the emulator is', async () => {
  const emulator = await createEmulator({
    program: () => ({ command: [process.execPath, '--input-type=module', '-e', program] }),
  })
  cleanUps.push(emulator.close)
  const { id, url } = emulator.addEndpoint({ name: 'double', env: { MINE: 'yes' } })
  const answer = await createCaller(url)('POST', '/runsync', { input: { n: 21 } })
  expect(answer.body).toMatchObject({ status: 'COMPLETED', output: { doubled: 42, mine: 'yes' } })
  const endpoint = emulator.endpoints.get(id)!
  const pid = endpoint
    .log(answer.body.workerId)!
    .lines()
    .map(({ line }) => /process (\d+)/.exec(line)?.[1])
    .find(Boolean)
  expect(() => process.kill(Number(pid), 0)).not.toThrow()
  await emulator.close()
  expect(() => process.kill(Number(pid), 0)).toThrow()
})

describe('who may call', () => {
  test('only with the key, raw or as Bearer, before anything is told', async () => {
    const { emulator, id } = await start({ apiKey: 'secret' })
    const { url } = emulator
    const ask = (path: string, authorization?: string) =>
      fetch(url + path, { headers: authorization === undefined ? {} : { authorization } })
    for (const path of [
      `/v2/${id}/health`,
      '/v2/nobody/health',
      '/nowhere',
      `/lb/${id}/x`,
      '/_emulator/state',
    ]) {
      for (const wrong of [undefined, '', 'wrong', 'Bearer wrong', 'Bearer'])
        expect((await ask(path, wrong)).status, path).toBe(401)
    }
    for (const right of ['secret', 'Bearer secret', 'bearer secret'])
      expect((await ask(`/v2/${id}/health`, right)).status).toBe(200)
  })

  test('no page of another site, and nobody by a name that is not ours', async () => {
    const { call, emulator, id } = await start()
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }])
      expect((await call('GET', '/health', undefined, headers)).status).toBe(403)
    expect((await call('GET', '/health', undefined, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await call('GET', '/health', undefined, { origin: emulator.url })).status).toBe(200)
    const byName = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = { host, authorization: 'emulator' }
        request(`${emulator.url}/v2/${id}/health`, { headers }, (answer) => {
          answer.resume()
          resolve(answer.statusCode!)
        })
          .on('error', reject)
          .end()
      })
    for (const [host, status] of [
      ['localhost', 200],
      ['data.localhost:1', 200],
      ['emulator:8787', 200],
      ['host.docker.internal', 200],
      ['evil.example', 403],
      ['127.0.0.1.evil.example', 403],
    ] as const)
      expect([host, await byName(host)]).toEqual([host, status])
  })

  test('another machine by any name, when the emulator listens for it', async () => {
    const { emulator, id } = await start({ host: '0.0.0.0' })
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'ci.example', authorization: 'emulator' }
      request(`${emulator.url}/v2/${id}/health`, { headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
  })
})

describe('addresses', () => {
  test('that do not exist are 404 as JSON', async () => {
    const { emulator } = await start()
    for (const path of [
      '/',
      '/v2',
      '/v2/',
      '/v2/nobody',
      '/v2/nobody/run',
      '/lb',
      '/lb/',
      '/lb/x',
      '/x?y',
      '/v2/flash/run',
    ]) {
      const answer = await createCaller(emulator.url)('POST', path, { input: 1 })
      expect([path, answer.status, answer.body]).toEqual([path, 404, { error: expect.any(String) }])
      expect(answer.headers.has('x-flash')).toBe(false)
    }
    expect((await createCaller(emulator.url)('GET', '/%zz')).status).toBe(400)
  })

  test('of an endpoint that is not there name it', async () => {
    const { emulator } = await start()
    const ask = (path: string, key?: string) => createCaller(emulator.url, key)('GET', path)
    expect((await ask('/v2/nobody/health')).body).toEqual({
      error: 'endpoint not found: nobody; GET /_emulator/state shows those that exist',
    })
    expect((await ask('/v2/nobody/health', 'wrong')).body).toEqual({ error: 'unauthorized' })
  })

  test.each([
    'localhost:99999',
    'a b',
    '[::1',
    '%zz',
    'user@localhost',
    'localhost/x',
    'localhost:1:2',
    'x.127.0.0.1',
  ])('with the host %s are refused', async (host) => {
    const { emulator } = await start()
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += chunk)).once('close', () => resolve(text))
      socket.write(
        `GET /v2/serverless HTTP/1.1\r\nHost: ${host}\r\nAuthorization: emulator\r\nConnection: close\r\n\r\n`,
      )
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*the host cannot be read/)
  })

  test('are told to nobody without the key', async () => {
    const { emulator, id } = await start({}, { env: { FLASH_APP: 'shop', FLASH_ENV: 'live' } })
    const ask = createCaller(emulator.url, 'wrong')
    const named = (endpoint: string) => ({
      'x-flash-app': 'shop',
      'x-flash-environment': 'live',
      'x-flash-endpoint': endpoint,
    })
    for (const [path, headers] of [
      [`/lb/${id}/x`, {}],
      ['/lb/nobody/x', {}],
      ['/v2/flash/health', named('test')],
      ['/v2/flash/health', named('nobody')],
    ] as const)
      expect([path, (await ask('GET', path, undefined, headers)).status]).toEqual([path, 401])
  })

  // Older versions of Node leave it to nobody to refuse an upgrade.
  test.skipIf(!canChoose)('answer without an upgrade to HTTP/2, which nobody has to take', async () => {
    const { emulator, id } = await start()
    const headers = {
      authorization: 'emulator',
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
    }
    const status = await new Promise((resolve, reject) => {
      request(`${emulator.url}/v2/${id}/run`, { method: 'POST', headers }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end('{"input": 1}')
    })
    expect(status).toBe(200)
  })

  test('by names of no endpoint are 404, without a word of ours', async () => {
    const { emulator } = await start()
    const names = { 'x-flash-app': 'shop', 'x-flash-environment': 'staging', 'x-flash-endpoint': 'test' }
    const missing = await createCaller(`${emulator.url}/v2/flash`)('POST', '/runsync', { input: 1 }, names)
    expect([missing.status, missing.body]).toEqual([404, { error: 'endpoint not found' }])
    expect([...missing.headers.keys()].filter((name) => name.includes('flash'))).toEqual([])
  })

  test('cannot be taken twice', async () => {
    const { emulator } = await start()
    const port = Number(new URL(emulator.url).port)
    await expect(createEmulator({ port, launcher: 'external' })).rejects.toThrow(/cannot listen at port/)
  })
})

test('variables lead a client here, and to what was added', async () => {
  const { emulator, id } = await start({ apiKey: 'k' })
  const { url } = emulator
  expect(emulator.env).toEqual({
    RUNPOD_API_KEY: 'k',
    RUNPOD_API_BASE_URL: url,
    RUNPOD_ENDPOINT_BASE_URL: `${url}/v2`,
    RUNPOD_REST_API_URL: `${url}/v1`,
    RUNPOD_HAPI_URL: url,
    RUNPOD_CONSOLE_URL: url,
    FLASH_ENDPOINT_TEST: id,
  })
  expect(emulator.addEndpoint({ name: 'test', workersMax: 9 }).id).toBe(id)
  expect(emulator.endpoints.get(id)!.spec).toMatchObject({ workersMax: 9, version: 2 })
  expect(() => emulator.addEndpoint({ name: 'test', kind: 'balanced' })).toThrow()
})

describe('with TLS', () => {
  test('one port answers with it and without, by every name', async () => {
    const { emulator, id } = await start({ tls: true })
    const { port } = new URL(emulator.url)
    const { env } = emulator
    expect(emulator.url).toBe(`https://127.0.0.1:${port}`)
    expect(env).toMatchObject({
      RUNPOD_API_BASE_URL: emulator.url,
      RUNPOD_ENDPOINT_BASE_URL: `https://data.localhost:${port}/v2`,
      SSL_CERT_FILE: env.NODE_EXTRA_CA_CERTS,
    })
    const ca = readFileSync(env.NODE_EXTRA_CA_CERTS!)
    const secure = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = { host: `${host}:${port}`, authorization: 'emulator' }
        const how = {
          host: '127.0.0.1',
          servername: host,
          port,
          ca,
          headers,
          path: `/v2/${id}/health`,
          agent: false as const,
        }
        get(how, (answer) => {
          answer.resume()
          resolve(answer.statusCode!)
        }).on('error', reject)
      })
    expect(await secure('data.localhost')).toBe(200)
    expect(await secure('localhost')).toBe(200)
    // The endpoint is no balanced one.
    expect(await secure(`${id}.data.localhost`)).toBe(400)
    expect((await createCaller(`http://127.0.0.1:${port}/v2/${id}`)('GET', '/health')).status).toBe(200)
    expect((await emulator.workerEnv(id)).RUNPOD_WEBHOOK_PING).toMatch(/^http:/)
    const hasty = connect(Number(port), '127.0.0.1').on('error', () => {})
    await new Promise((resolve) => hasty.once('close', resolve).end())
    const silent = connect(Number(port), '127.0.0.1')
    silent.on('error', () => {})
    const closed = new Promise((resolve) => silent.once('close', resolve))
    await emulator.close()
    await closed
    expect(existsSync(env.SSL_CERT_FILE!)).toBe(false)
  })
})

test('closing ends what is open, at once and once', async () => {
  const { emulator, call, worker } = await startEmulator()
  const one = await worker()
  const open = [call('POST', '/runsync', { input: 1 }), one.take().then(() => one.take()), one.stop()].map(
    (request) =>
      request.then(
        () => 'answered',
        () => 'ended',
      ),
  )
  await vi.waitFor(async () => expect((await call('GET', '/health')).body.jobs.inProgress).toBe(1))
  await Promise.all([emulator.close(), emulator.close()])
  expect(await Promise.all(open)).toBeDefined()
  await expect(fetch(emulator.url)).rejects.toThrow()
})

const ownLauncher: Launcher = { ...createExternalLauncher(), name: 'process' }

test.each(['docker', 'external', ownLauncher] as const)(
  'an emulator with the launcher %j needs nothing of it before there is work',
  async (launcher) => {
    const { emulator, call } = await start({ launcher }, { workersMax: 0 })
    expect((await call('POST', '/run', { input: 1 })).status).toBe(200)
    await emulator.close()
  },
)

test('a folder that was given stays, its own goes', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'flash-test-')), 'inner')
  cleanUps.push(() => rmSync(dirname(folder), { recursive: true }))
  const emulator = await createEmulator({ folder, launcher: 'external', tls: true })
  await emulator.close()
  expect(existsSync(join(folder, 'authority.pem'))).toBe(true)
})

test.each([
  [{ port: 70_000 }, /cannot listen at port 70000 of 127\.0\.0\.1: /],
  [{ launcher: 'podman' as 'docker' }, /there is no launcher "podman"/],
  [{ tls: { key: 'k', cert: 'c' } }, /the certificate or its key cannot be used: /],
])('%j is refused', async (options, message) => {
  await expect(createEmulator({ launcher: 'external', ...options })).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringMatching(message),
  })
})

test('its own folder goes with a program that does not close it', async () => {
  const before = process.listeners('exit')
  const emulator = await createEmulator({ launcher: 'external', tls: true })
  cleanUps.push(emulator.close)
  const folder = dirname(emulator.env.SSL_CERT_FILE!)
  expect(existsSync(folder)).toBe(true)
  const atExit = process.listeners('exit').filter((listener) => !before.includes(listener))
  // Another test may have made it listen already.
  for (const listener of atExit.length > 0 ? atExit : before.filter(({ name }) => name === 'cleanUp'))
    listener(0)
  expect(existsSync(folder)).toBe(false)
})

test('results are kept for as long as it is told', async () => {
  const clock = createTestClock()
  const { call } = await start({ clock, limits: { retention: { runMs: 5_000 } } })
  const { id } = (await call('POST', '/run', { input: 1 })).body
  await call('POST', `/cancel/${id}`)
  clock.advance(4_999)
  expect((await call('GET', `/status/${id}`)).status).toBe(200)
  clock.advance(1)
  expect((await call('GET', `/status/${id}`)).status).toBe(404)
})

test('the docker launcher gets its options', async () => {
  const images = vi.fn(() => undefined)
  const spy = vi.spyOn(await import('./launchers/docker.ts'), 'createDockerLauncher')
  const emulator = await createEmulator({ launcher: 'docker', docker: { images, network: 'host' } })
  await emulator.close()
  expect(spy).toHaveBeenCalledWith({ images, network: 'host' })
})

describe('bundles', () => {
  function build(
    config: Record<string, unknown>,
    more: { calls?: string[]; workerKey?: string; kind?: 'queue' | 'balanced' } = {},
  ) {
    const { calls = [], workerKey, kind = 'queue' } = more
    const folder = mkdtempSync(join(tmpdir(), 'flash-test-'))
    cleanUps.push(() => rmSync(folder, { recursive: true }))
    const hash = createHash('sha256').update('x').digest('hex')
    const endpoint = {
      kind,
      functions: [],
      config: parseEndpointConfig({ name: 'speech', ...config }, () => undefined, { kind }),
      configHash: hash,
      bundle: { hash, bytes: program.length, gzipBytes: 1, files: [{ path: 'main.mjs', bytes: 1, hash }] },
      externals: [],
      calls,
    }
    const manifest = {
      schemaVersion: 1,
      app: 'shop',
      workerKey,
      wireVersion: 1,
      node: 24,
      endpoints: { speech: endpoint },
    }
    writeFileSync(join(folder, 'flash_manifest.json'), JSON.stringify(manifest))
    mkdirSync(join(folder, 'speech'))
    writeFileSync(join(folder, 'speech/main.mjs'), program)
    return folder
  }

  test('of a build become endpoints that run', async () => {
    const folder = build({ env: { MINE: 'given' }, workers: [0, 2], idleTimeoutSeconds: 5, cpu: 'cpu3c-2-4' })
    const emulator = await createEmulator()
    cleanUps.push(emulator.close)
    const [added] = emulator.addBundles(folder)
    expect(added).toMatchObject({ name: 'speech', id: emulator.env.FLASH_ENDPOINT_SPEECH })
    expect(emulator.endpoints.get(added!.id)!.spec).toMatchObject({
      image: expect.stringMatching(/-cpu$/),
      workersMax: 2,
      idleTimeoutSeconds: 5,
      limits: { memoryBytes: 4e9, cpus: 2 },
      mounts: [{ source: join(folder, 'speech'), target: bundleFolder }],
    })
    const answer = await createCaller(added!.url)('POST', '/runsync', { input: { n: 2 } })
    expect(answer.body).toMatchObject({ status: 'COMPLETED', output: { doubled: 4, mine: 'given' } })
    const names = { 'x-flash-app': 'shop', 'x-flash-environment': 'production', 'x-flash-endpoint': 'speech' }
    const byName = createCaller(`${emulator.url}/v2/flash`)
    expect((await byName('POST', '/runsync', { input: { n: 3 } }, names)).body.output.doubled).toBe(6)
    expect((await byName('GET', `/status/${answer.body.id}`, undefined, names)).body.output.doubled).toBe(4)
  })

  test('that name variables get them, or are refused', async () => {
    const { emulator } = await start()
    vi.stubEnv('MY_NAME', 'here')
    vi.stubEnv('MY_SECRET', undefined)
    cleanUps.push(() => vi.unstubAllEnvs())
    const [added] = emulator.addBundles(build({ env: ['MY_NAME'] }))
    expect(emulator.endpoints.get(added!.id)!.spec.env).toMatchObject({ MY_NAME: 'here' })
    const folder = build({ env: { TOKEN: { secret: 'MY_SECRET' } } })
    expect(() => emulator.addBundles(folder)).toThrow(expect.objectContaining({ code: 'ENV_MISSING' }))
  })

  test('that call other endpoints get a key for that, and no others do', async () => {
    const { emulator } = await start({ apiKey: 'of this emulator' })
    const envOf = (...how: Parameters<typeof build>) =>
      emulator.endpoints.get(emulator.addBundles(build(...how))[0]!.id)!.spec.env
    expect(envOf({}, { calls: ['text'] })).toMatchObject({ FLASH_WORKER_KEY: 'of this emulator' })
    const named = envOf({}, { calls: ['text'], workerKey: 'CALLS_KEY' })
    expect(named).toMatchObject({ CALLS_KEY: 'of this emulator' })
    expect(named).not.toHaveProperty('FLASH_WORKER_KEY')
    expect(envOf({}, { workerKey: 'CALLS_KEY' })).not.toHaveProperty('CALLS_KEY')
    // A key of its own, in its config, is for something else.
    vi.stubEnv('CALLS_KEY', 'own')
    cleanUps.push(() => vi.unstubAllEnvs())
    expect(envOf({ env: ['CALLS_KEY'] }, { calls: ['text'], workerKey: 'CALLS_KEY' }).CALLS_KEY).toBe('own')
  })

  test('with routes are behind the balancer, whatever is beside it', async () => {
    const { emulator } = await start()
    const [added] = emulator.addBundles(build({}, { kind: 'balanced' }))
    expect(emulator.endpoints.get(added!.id)!.spec.kind).toBe('balanced')
    expect(added!.url).toContain(`/lb/${added!.id}`)
  })

  test('have to be built', async () => {
    const { emulator } = await start()
    expect(() => emulator.addBundles('/nowhere')).toThrow(expect.objectContaining({ code: 'BUILD_MISSING' }))
  })
})
