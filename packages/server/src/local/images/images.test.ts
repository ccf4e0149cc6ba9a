import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerLauncher } from '@flash/emulator/launchers'
import { createScriptedEngine, type ScriptedEngine } from '@flash/emulator/launchers/testing'
import { createTestClock, systemClock } from '@flash/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createImages, type ImagesOptions } from './images.ts'

const folder = mkdtempSync(join(tmpdir(), 'flash-images-'))
const programs = {
  queue: `import { existsSync } from 'node:fs'
const { RUNPOD_WEBHOOK_GET_JOB: take, RUNPOD_WEBHOOK_POST_OUTPUT: done, RUNPOD_AI_API_KEY: authorization, GREETING, NAMED, FLASH_VOLUME } = process.env
console.log('waits for jobs', NAMED)
for (;;) {
  const response = await fetch(take, { headers: { authorization } })
  if (response.status !== 200) continue
  const { id, input } = await response.json()
  while (input.until && !existsSync(input.until)) await new Promise((resolve) => setTimeout(resolve, 10))
  if (input.exit) process.exit(input.exit)
  const output = { greeting: GREETING + ' ' + input.name, named: NAMED, volume: FLASH_VOLUME ?? null, pid: process.pid }
  await fetch(done.replace('$ID', id), { method: 'POST', headers: { authorization }, body: JSON.stringify({ output }) })
}`,
  balanced: `import { createServer } from 'node:http'
createServer((request, response) => response.end(request.url === '/ping' ? '' : request.method + ' ' + request.url + ' ' + process.env.PORT_HEALTH)).listen(Number(process.env.PORT))`,
  ends: `for (let n = 1; n <= 30; n++) console.log('line', n)
console.log('cannot find the model of ' + process.env.NAMED)
process.exit(3)`,
  silent: `console.log('loads')
setInterval(() => {}, 1_000)`,
}
const argsOf = (name: keyof typeof programs) => `"${process.execPath}" "${join(folder, `${name}.mjs`)}"`

let engine: ScriptedEngine
beforeAll(async () => {
  engine = await createScriptedEngine()
  process.env.DOCKER_HOST = engine.host
  engine.images.add('own:1')
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, `${name}.mjs`), text)
})
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  process.env.DOCKER_HOST = engine.host
  for (const close of closing.splice(0)) await close()
  expect(engine.containers.size).toBe(0)
})
afterAll(async () => {
  await engine.close()
  delete process.env.DOCKER_HOST
  rmSync(folder, { recursive: true, force: true })
})

function open(more: Partial<ImagesOptions> = {}) {
  const lines: string[] = []
  const errors: unknown[] = []
  const images = createImages({
    root: folder,
    sources: () => ({ process: { NAMED: 'planted-secret' }, files: {}, place: 'in .env.local' }),
    onOutput: (endpoint, _stream, text) => lines.push(`${endpoint} | ${text}`),
    onError: (error) => errors.push(error),
    ...more,
  })
  closing.push(async () => {
    await images.close()
    expect(errors).toEqual([])
  })
  const send = async (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await images.answer(
      new Request('http://localhost/images', { method: 'POST', body: text }),
    )
    return { status: response.status, answer: (await response.json()) as Record<string, string> }
  }
  const ask = async (use: 'queue' | 'balanced', config: object, again = false) =>
    send({ use, config: { name: 'speech', image: 'own:1', cpu: 'cpu3c-2-4', ...config }, again })
  return { images, lines, send, ask }
}

async function run({ url, key }: Record<string, string>, input: object) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/runsync?wait=20000`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ input }),
  })
  return (await response.json()) as {
    id: string
    status: string
    output: Record<string, unknown>
    error: string
  }
}

const post = ({ url, key }: Record<string, string>, input: object) =>
  fetch(`${url}/run`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ input }),
  })

const get = ({ url, key }: Record<string, string>, path: string) =>
  fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } }).then((response) => response.text())

describe('a container', () => {
  const queue = { args: argsOf('queue'), env: { GREETING: 'hello', NAMED: { secret: 'NAMED' } } }

  test('takes jobs, with the variables of its config and its volume; calls share it', async () => {
    const { ask, lines } = open()
    const config = { ...queue, volumes: { kind: 'network', name: 'weights' }, diskGb: 10 }
    const [first, second] = await Promise.all([ask('queue', config), ask('queue', config)])
    expect([first, second]).toEqual([{ status: 200, answer: expect.anything() }, first])
    const { status, output } = await run(first.answer, { name: 'Ann' })
    expect({ status, output }).toMatchObject({
      status: 'COMPLETED',
      output: { greeting: 'hello Ann', named: 'planted-secret', volume: '/runpod-volume' },
    })
    expect(await ask('queue', config)).toEqual(first)
    const created = engine.created.at(-1)!
    expect(created).toMatchObject({
      Image: 'own:1',
      HostConfig: {
        Memory: 4e9,
        Mounts: [
          { Source: join(folder, '.flash/volumes/weights'), Target: '/runpod-volume', ReadOnly: false },
        ],
      },
    })
    expect(engine.created.filter(({ Image }) => Image === 'own:1')).toHaveLength(1)
    // As `docker run` would: nothing of this machine, and nothing taken away.
    expect(created.Env!.join()).not.toMatch(/PATH=|HOME=/)
    expect(created.HostConfig).not.toHaveProperty('CapDrop')
    expect(created.HostConfig).not.toHaveProperty('ReadonlyRootfs')
    expect(lines).toContain('speech | waits for jobs planted-secret')
  })

  test('takes requests at the port that it names, beside the one for jobs', async () => {
    const { ask } = open()
    const balanced = await ask('balanced', { args: argsOf('balanced'), ports: ['22/tcp', '8123/http'] })
    expect(await get(balanced.answer, '/items?a=1')).toMatch(/^GET \/items\?a=1 \d+$/)
    expect(engine.created.at(-1)!.Env).toEqual(expect.arrayContaining(['PORT=8123', 'PORT_HEALTH=8123']))
    const jobs = await ask('queue', queue)
    expect((await run(jobs.answer, { name: 'Bo' })).status).toBe('COMPLETED')
    expect(engine.containers.size).toBe(2)
  })

  test('that crashed fails its job, and the next call starts another', async () => {
    const { ask } = open()
    const first = await ask('queue', queue)
    const before = await run(first.answer, { name: 'A' })
    const crashed = await run(first.answer, { exit: 7 })
    expect(crashed).toMatchObject({ status: 'FAILED', error: expect.stringContaining('exited with code 7') })
    const second = await ask('queue', queue)
    const after = await run(second.answer, { name: 'B' })
    expect(after.output.pid).not.toBe(before.output.pid)
  })

  test('whose config was edited is another one; the former goes, and what it has done stays', async () => {
    const { ask, lines } = open()
    const { answer } = await ask('queue', queue)
    const first = await run(answer, { name: 'A' })
    const edited = { ...queue, env: { GREETING: 'good day', NAMED: 'b' } }
    const second = await run((await ask('queue', edited)).answer, { name: 'A' })
    expect([first.output.greeting, second.output.greeting]).toEqual(['hello A', 'good day A'])
    await vi.waitFor(() => expect(engine.containers.size).toBe(1), 10_000)
    expect(JSON.parse(await get(answer, `/status/${first.id}`))).toMatchObject({
      status: 'COMPLETED',
      output: first.output,
    })
    expect(lines.join('\n')).not.toContain('the container of image')
  })

  test('that the end of the dev server ends, with work or without, is no failure', async () => {
    const { ask, images, lines } = open()
    const { answer } = await ask('queue', queue)
    await ask('balanced', { args: argsOf('balanced') })
    await post(answer, { until: '/nowhere/at-all' })
    await vi.waitFor(async () =>
      expect(JSON.parse(await get(answer, '/health'))).toMatchObject({ jobs: { inProgress: 1 } }),
    )
    await images.close()
    expect(lines.join('\n')).not.toContain('the container of image')
  })
})

describe('what does not get ready', () => {
  test('ends: the call hears the exit code and what was printed, without secrets; the next one tries again', async () => {
    const { ask } = open()
    const config = { args: argsOf('ends'), env: ['NAMED'] }
    const count = engine.created.length
    const { status, answer } = await ask('balanced', config)
    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: {
        code: 'IMAGE_FAILED',
        message: expect.stringMatching(
          /"speech": the container of image own:1 ended with exit code 3; its last output:\nline 12\n[^]*\ncannot find the model of \[redacted\]$/,
        ),
      },
    })
    expect(engine.created.length).toBe(count + 1)
    // Whoever waited with it hears the same.
    expect((await ask('balanced', config, true)).answer).toEqual(answer)
    expect(engine.created.length).toBe(count + 1)
  })

  test('says nothing in time', async () => {
    const { ask } = open({ startMs: 300 })
    for (const [use, missing] of [
      ['queue', 'did not ask for a job within 0.3 s'],
      ['balanced', 'did not answer 200 to /ping within 0.3 s'],
    ] as const) {
      const { answer } = await ask(use, { args: argsOf('silent') })
      expect(answer).toMatchObject({ code: 'IMAGE_FAILED', message: expect.stringContaining(missing) })
    }
  })

  test('cannot be had', async () => {
    const { ask, lines } = open()
    const { answer } = await ask('queue', { image: 'nowhere/at-all:1' })
    expect(answer).toMatchObject({
      code: 'IMAGE_FAILED',
      message: expect.stringContaining('did not start (image nowhere/at-all:1 cannot be had: not found)'),
      hint: expect.stringContaining('docker pull'),
    })
    expect(lines).toContain('speech | pulling image nowhere/at-all:1')
  })

  test('needs an engine', async () => {
    process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
    const { ask } = open()
    expect(await ask('queue', {})).toMatchObject({
      status: 500,
      answer: {
        code: 'NEEDS_DOCKER',
        message: expect.stringMatching(
          /"speech" runs an image, which takes Docker: no Docker engine answers at unix:/,
        ),
        hint: expect.stringMatching(
          /^start Docker, say in DOCKER_HOST where it is; or set FLASH_ENDPOINT_SPEECH .*'live'/,
        ),
      },
    })
  })

  test('needs a variable', async () => {
    const { ask } = open()
    expect((await ask('queue', { env: ['LACKING'] })).answer).toMatchObject({
      code: 'ENV_MISSING',
      hint: 'put LACKING in .env.local',
    })
  })

  test('crashes after it was ready, and again at its start: nobody starts it for ever', async () => {
    const file = join(folder, 'once.mjs')
    writeFileSync(file, programs.queue)
    const { ask, lines } = open()
    const { answer } = await ask('queue', { args: `"${process.execPath}" "${file}"` })
    writeFileSync(file, programs.ends)
    await post(answer, { exit: 1 })
    await post(answer, { name: 'waits' })
    await vi.waitFor(() => expect(lines.join('\n')).toContain('ended with exit code 3; its last output:'))
    expect((await post(answer, {})).status).toBe(404)
  })

  test('nor one whose config was edited while work waited for it', async () => {
    const [file, gate] = [join(folder, 'once.mjs'), join(folder, 'gate')]
    writeFileSync(file, programs.queue)
    const { ask, lines } = open()
    const { answer } = await ask('queue', { args: `"${process.execPath}" "${file}"` })
    await post(answer, { until: gate, exit: 1 })
    await post(answer, { name: 'waits' })
    await ask('queue', { args: argsOf('queue') })
    writeFileSync(file, programs.ends)
    writeFileSync(gate, '')
    await vi.waitFor(() => expect(lines.join('\n')).toContain('ended with exit code 3; its last output:'))
    expect((await post(answer, {})).status).toBe(404)
  })

  test('cannot be started here at all: the next one tries again', async () => {
    let count = 0
    const told: unknown[] = []
    const { ask } = open({
      onError: (error) => told.push(error),
      launcher: async () => {
        if (count++ === 0) throw new Error('no memory left')
        return createDockerLauncher({ asIs: true })
      },
    })
    const first = await ask('queue', { args: argsOf('queue') })
    expect(first.answer.code).toBe('INTERNAL')
    const second = await ask('queue', { name: 'another', args: argsOf('queue') })
    expect(second.status).toBe(200)
    expect(count).toBe(2)
    expect(told).toEqual([new Error('no memory left')])
  })
})

describe('a start that takes long', () => {
  test('is asked for again, and an edit meanwhile ends it', async () => {
    const clock = createTestClock()
    const wait = vi.fn(clock.after)
    const { ask } = open({ clock: { ...clock, after: wait } })
    const config = { args: argsOf('silent') }
    const first = ask('queue', config)
    await vi.waitFor(() => expect(wait.mock.calls.map(([ms]) => ms)).toContain(420_000))
    clock.advance(20_000)
    expect(await first).toEqual({ status: 202, answer: {} })
    const second = ask('queue', config, true)
    const edited = ask('queue', { args: argsOf('queue'), env: { GREETING: 'a' } })
    expect((await second).answer).toMatchObject({ code: 'IMAGE_FAILED', hint: 'call it again' })
    expect((await ask('queue', config, true)).answer.code).toBe('IMAGE_FAILED')
    await vi.waitFor(async () => {
      clock.advance(50)
      expect(await Promise.race([edited, null])).toMatchObject({ status: 200 })
    })
  })

  test('ends with the dev server, which starts nothing any more', async () => {
    const { ask, images } = open()
    const first = ask('queue', { args: argsOf('silent') })
    await vi.waitFor(() => expect(engine.containers.size).toBe(1))
    await images.close()
    expect((await first).answer).toMatchObject({ code: 'NO_WORKERS' })
    expect((await ask('queue', {})).answer).toMatchObject({ code: 'NO_WORKERS' })
    expect(engine.containers.size).toBe(0)
  })

  test('and was not begun yet when the dev server ended, is not begun', async () => {
    const { ask, images } = open()
    const first = ask('queue', { args: argsOf('silent') })
    await images.close()
    expect((await first).status).not.toBe(200)
    expect(engine.containers.size).toBe(0)
  })
})

test.each([
  ['no JSON', '{', 'BAD_REQUEST'],
  ['nothing', 'null', 'BAD_REQUEST'],
  ['no use', { config: {} }, 'BAD_REQUEST'],
  ['no image', { use: 'queue', config: { name: 'speech' } }, 'BAD_REQUEST'],
  [
    'a field that is none',
    { use: 'queue', config: { name: 'abc', image: 'a', nothing: 1 } },
    'UNKNOWN_FIELD',
  ],
  ['too much', JSON.stringify('x'.repeat(1_000_001)), 'PAYLOAD_TOO_LARGE'],
] as const)('a request with %s', async (_what, body, code) => {
  expect((await open().send(body)).answer).toMatchObject({ code })
})

test('without a call nothing is asked for containers', async () => {
  const { images } = open({ clock: systemClock, launcher: () => Promise.reject(new Error('never asked')) })
  await images.close()
})
