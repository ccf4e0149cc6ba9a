import { createServer, request as httpRequest } from 'node:http'
import { readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let vite: ViteProcess
const hook = createServer()

beforeAll(async () => {
  project = createProject({
    ...appFiles,
    'src/checked.ts': `import { remote } from 'unplugin-flash'
import { z } from 'zod'
export const checked = remote({ name: 'checked', input: z.object({ prompt: z.string(), steps: z.number().int().default(20) }) }, async ({ prompt, steps }) => prompt.repeat(2) + steps)
`,
    'src/secrets.ts': `import { remote } from 'unplugin-flash'
export const named = remote({ name: 'named', env: ['TOKEN'] }, async () => [process.env.TOKEN, process.env.UNNAMED, process.env.RUNPOD_API_KEY])
export const missing = remote({ name: 'missing-env', env: ['NOT_THERE'] }, async () => 1)
`,
    'src/volume.ts': `import { writeFileSync } from 'node:fs'
import { NetworkVolume, remote } from 'unplugin-flash'
export const write = remote({ name: 'volume', volumes: NetworkVolume({ name: 'models' }) }, async (text: string) => {
  writeFileSync(process.env.FLASH_VOLUME + '/note.txt', text)
  return process.env.FLASH_VOLUME
})
`,
    'src/values.ts':
      "import { remote } from 'unplugin-flash'\nexport const odd = remote({}, async () => new Map([[1, 2]]))\n",
    'src/barrel.ts': "export { remote as gpuFunction } from 'unplugin-flash'\n",
    'src/renamed.ts':
      "import { gpuFunction } from './barrel.ts'\nexport const next = gpuFunction({}, async (n: number) => n + 'planted body'.length - 11)\n",
    '.env': 'TOKEN=from-env-file\nUNNAMED=not-for-workers\n',
  })
  hook.listen(0, '127.0.0.1')
  vite = await startVite(project, [], { RUNPOD_API_KEY: 'rpa_account_key' })
})

afterAll(async () => {
  hook.close()
  await vite?.stop()
  project?.remove()
})

async function post(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${vite.url}/_flash/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as any, headers: response.headers }
}

async function get(path: string) {
  const response = await fetch(`${vite.url}/_flash/${path}`)
  return { status: response.status, body: (await response.json()) as any }
}

test('the start-up table names every function with method, path, kind and target', () => {
  const table = vite.output()
  expect(table).toMatch(
    /POST\s+\/_flash\/basics\/greet\/run_sync\s+greet\s+src\/basics\.ts:5\s+function\s+local/,
  )
  expect(table).toMatch(/\/_flash\/counter\/Counter\/upTo\/run_sync\s+Counter\.upTo\s+\S+\s+generator/)
  expect(table).toMatch(/nothing is billed/)
})

describe('a program with plain JSON', () => {
  test('runs a function by the names of its parameters', async () => {
    const { status, body } = await post('basics/greet/run_sync', { input: { name: 'ann' } })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: expect.stringMatching(/^sync-/),
      status: 'COMPLETED',
      output: 'hello ann!',
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
      workerId: expect.any(String),
    })
    expect(
      (await post('basics/greet/runsync', { input: { greeting: 'bye', name: 'ann' } })).body.output,
    ).toBe('bye ann!')
    expect((await post('basics/sum/run_sync', { input: { numbers: [1, 2] } })).body.output).toBe(3)
    expect((await post('basics/greet/run_sync', { input: { args: ['bob'] } })).body.output).toBe('hello bob!')
  })

  test('gets the items of a generator as a list, and methods of a class', async () => {
    expect((await post('basics/count/run_sync', { input: { to: 3 } })).body.output).toEqual([1, 2, 3])
    expect(
      (await post('counter/add/run_sync', { input: { n: 2, 'flash:call': { v: 1, new: [40] } } })).body
        .output,
    ).toBe(42)
  })

  test("queues, asks, streams, cancels and asks for health in Runpod's shapes", async () => {
    const { body: queued } = await post('basics/count/run', { input: { to: 2 } })
    expect(queued).toEqual({ id: expect.stringMatching(/-u1$/), status: 'IN_QUEUE' })
    await expect
      .poll(async () => (await get(`basics/count/status/${queued.id}`)).body.status)
      .toBe('COMPLETED')
    expect((await get(`basics/greet/stream/${queued.id}`)).body).toEqual({
      status: 'COMPLETED',
      stream: [{ output: 1 }, { output: 2 }],
    })
    const { body: long } = await post('basics/wait/run', { input: { ms: 60_000 } })
    await expect
      .poll(async () => (await get(`basics/wait/status/${long.id}`)).body.status)
      .toBe('IN_PROGRESS')
    expect((await post(`basics/wait/cancel/${long.id}`)).body).toEqual({ id: long.id, status: 'CANCELLED' })
    expect((await get('basics/greet/health')).body).toMatchObject({
      jobs: { inQueue: 0 },
      workers: { idle: expect.any(Number), throttled: 0 },
    })
    expect((await post('basics/greet/purge-queue')).body).toEqual({ removed: 0, status: 'completed' })
  })

  test('sees a thrown error as a failed job, and can try again', async () => {
    const { status, body } = await post('basics/refuse/run_sync', { input: { seats: 3 } })
    expect([status, body.status]).toEqual([200, 'FAILED'])
    expect(JSON.parse(body.error)).toMatchObject({ error_message: 'no seats left', flash: { code: 'FULL' } })
    expect((await post(`basics/refuse/retry/${body.id}`)).body.id).toBe(body.id)
  })

  for (const [what, path, body, status, code, message] of [
    ['no input', 'basics/greet/run_sync', {}, 422, 'BAD_INPUT', /input/],
    ['a missing parameter', 'basics/greet/run_sync', { input: {} }, 422, 'BAD_INPUT', /name/],
    ['an unknown parameter', 'basics/greet/run_sync', { input: { nam: 'x' } }, 422, 'BAD_INPUT', /nam/],
    [
      'a value its schema refuses',
      'checked/checked/run_sync',
      { input: { prompt: 3 } },
      422,
      'BAD_INPUT',
      /prompt/,
    ],
    ['no JSON', 'basics/greet/run_sync', '{', 400, 'BAD_REQUEST', /JSON/],
    ['an unknown function', 'basics/nope/run_sync', { input: {} }, 404, 'NOT_FOUND', /nope/],
    [
      'a name of Object.prototype',
      'basics/greet/constructor',
      { input: {} },
      404,
      'NOT_FOUND',
      /constructor/,
    ],
    ['an unknown job', 'basics/greet/cancel/x', undefined, 404, 'JOB_NOT_FOUND', /"x"/],
  ] as const) {
    test(`${what} is ${status} ${code}`, async () => {
      const answer = await post(path, body)
      expect(answer.status).toBe(status)
      expect(answer.body).toMatchObject({ code, message: expect.stringMatching(message) })
      expect(answer.headers.get('x-flash')).toBe('1')
    })
  }

  test('defaults of a schema count', async () => {
    expect((await post('checked/run_sync', { input: { prompt: 'a' } })).body.output).toBe('aa20')
  })

  test('another method or content type is refused', async () => {
    expect((await get('basics/greet/run_sync')).status).toBe(405)
    expect(
      (await post('basics/greet/run_sync', '{"input":{}}', { 'content-type': 'text/plain' })).status,
    ).toBe(415)
  })

  test('health is at the prefix, the app keeps its own root', async () => {
    expect((await get('')).body).toMatchObject({ status: 'ok' })
    expect((await get('ping')).body).toMatchObject({ status: 'ok' })
    expect(await (await fetch(vite.url)).text()).toContain('<title>Fixture</title>')
  })
})

describe('the environment of a worker', () => {
  test('has what env names and nothing else of .env or the account', async () => {
    expect((await post('secrets/named/run_sync', { input: { 'flash:call': { v: 1 } } })).body.output).toEqual(
      ['from-env-file', null, null],
    )
  })

  test('a missing variable is named before anything runs', async () => {
    const { body } = await post('secrets/missing/run_sync', { input: { 'flash:call': { v: 1 } } })
    expect(body).toMatchObject({ code: 'ENV_MISSING', message: expect.stringContaining('NOT_THERE') })
  })
})

test('a variable of .env that is not named draws one warning when it is read', async () => {
  const call = () => post('secrets/named/run_sync', { input: { 'flash:call': { v: 1 } } })
  await call()
  await call()
  await vite.waitFor(/process\.env\.UNNAMED is in a \.env file, but endpoint "named" does not name it/)
  expect(vite.output().match(/process\.env\.UNNAMED/g)).toHaveLength(1)
})

test('a volume is a folder of the project', async () => {
  const { body } = await post('volume/write/run_sync', { input: { text: 'kept' } })
  expect(body.output).toBe(project.path('.flash/volumes/models'))
  expect(project.read('.flash/volumes/models/note.txt')).toBe('kept')
})

test('a webhook is told the result', async () => {
  const told = new Promise<any>((resolve) => {
    hook.once('request', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      response.end()
      resolve(JSON.parse(Buffer.concat(chunks).toString()))
    })
  })
  const { port } = hook.address() as { port: number }
  const { body } = await post('basics/greet/run', {
    input: { name: 'ann' },
    webhook: `http://127.0.0.1:${port}/done`,
  })
  expect(await told).toMatchObject({ id: body.id, status: 'COMPLETED', output: 'hello ann!' })
})

test('a webhook that cannot be told ends nothing but itself', async () => {
  const { status, body } = await post('basics/greet/run', { input: { name: 'ann' }, webhook: 'not a url' })
  expect([status, body]).toMatchObject([422, { code: 'BAD_INPUT', data: { field: 'webhook' } }])
  const { port } = hook.address() as { port: number }
  const webhook = `http://127.0.0.1:${port}/never`
  await post('values/odd/run', { input: { 'flash:call': { v: 1 } }, webhook })
  await vite.waitFor(/webhook \| job \S+ could not be told to http:\/\/127\.0\.0\.1:\d+: .*map/i)
  expect((await post('basics/greet/run_sync', { input: { name: 'ann' } })).body.output).toBe('hello ann!')
})

test('a function made by a barrel that renames remote is one like the others', async () => {
  expect((await post('renamed/run_sync', { input: { n: 20 } })).body.output).toBe(21)
  expect(await (await fetch(`${vite.url}/src/renamed.ts`)).text()).not.toContain('planted body')
})

describe('who may call', () => {
  const call = (headers: Record<string, string>) =>
    post('basics/greet/run_sync', { input: { name: 'ann' } }, headers)

  test('a page of another origin may not', async () => {
    expect((await call({ origin: 'http://evil.test' })).status).toBe(403)
    expect((await call({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await call({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  test('a foreign Host may not', async () => {
    const status = await new Promise((resolve) => {
      const { hostname, port } = new URL(vite.url)
      httpRequest({ hostname, port, path: '/_flash/ping', headers: { host: 'evil.test' } }, (response) =>
        resolve(response.statusCode),
      ).end()
    })
    expect(status).toBe(403)
  })

  test('key, state and variables of the project are not served', async () => {
    for (const file of ['.flash/key', '.flash/dev.json', '.env', `@fs${project.root}/.flash/key`]) {
      const response = await fetch(`${vite.url}/${file}`)
      expect(await response.text()).not.toMatch(/from-env-file|"token"|^[\w-]{43}\s*$/)
    }
  })

  test('the runtime listens on loopback only, and asks for the token of dev.json', async () => {
    const file = project.path('.flash/dev.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { url, token } = JSON.parse(readFileSync(file, 'utf8'))
    expect((await fetch(`${url}/rpc/x`, { method: 'POST' })).status).toBe(401)
    expect(
      (await fetch(`${url}/rpc/x`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status,
    ).not.toBe(401)
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one && !one.internal && one.family === 'IPv4')
    if (outside) await expect(fetch(`http://${outside.address}:${new URL(url).port}/`)).rejects.toThrow()
  })
})
