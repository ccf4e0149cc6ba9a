import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { main } from '../index.ts'
import { createTestIo } from '../testing.ts'
import { toShell } from './emulator-env.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Runs a command that is not expected to last. */
async function run(...args: string[]) {
  const { io, printed, warned } = createTestIo('/')
  const code = await main(['emulator', ...args], '1.2.3', io)
  return { code, printed, warned: warned.join('\n') }
}

async function start(...args: string[]) {
  const terminal = createTestIo('/')
  const code = main(['emulator', '--port', '0', ...args], '1.2.3', terminal.io)
  cleanUps.push(async () => {
    terminal.signal()
    await code
  })
  await Promise.race([terminal.untilPrinted(), code])
  const port = /127\.0\.0\.1:(\d+)/.exec(terminal.printed.join('\n'))?.[1] ?? ''
  return { ...terminal, code, port, url: `http://127.0.0.1:${port}` }
}

const json = { 'content-type': 'application/json', authorization: 'Bearer emulator' }

test('says where it is, serves until a signal, and then nothing is left', async () => {
  const { printed, warned, signal, code, port, url } = await start('--launcher', 'external')
  expect(printed.slice(0, 2)).toEqual([
    `  flash  emulator of Runpod at ${url}`,
    '         workers are started by you, with the variables of --env --endpoint <id>',
  ])
  expect(printed).toContain(`export RUNPOD_ENDPOINT_BASE_URL='${url}/v2'`)
  expect((await fetch(`${url}/_emulator/state`, { headers: json })).status).toBe(200)
  const clock = await fetch(`${url}/_emulator/clock`, {
    method: 'POST',
    headers: json,
    body: '{"advanceMs": 5}',
  })
  expect(clock.status).toBe(200)
  signal()
  expect(await code).toBe(0)
  expect(warned).toEqual(['flash: stopping; once more to end at once'])
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow()
})

test('--json says it in one line', async () => {
  const { printed, url } = await start('--launcher', 'external', '--key', 'k', '--json')
  expect(printed).toHaveLength(1)
  expect(JSON.parse(printed[0]!)).toMatchObject({ url, env: { RUNPOD_API_KEY: 'k' }, endpoints: [] })
})

test.each([
  [[], 200],
  [['--rates'], 429],
])('with %j many requests are %i', async (options, last) => {
  const { url } = await start('--launcher', 'external', '--json', ...options)
  const made = await fetch(`${url}/v2/serverless`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({
      name: 'mine',
      type: 'QUEUE',
      image: 'i',
      cpu: [{ id: 'cpu3c', vcpuCount: 2 }],
      scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
    }),
  })
  const { id } = (await made.json()) as { id: string }
  const purge = () => fetch(`${url}/v2/${id}/purge-queue`, { method: 'POST', headers: json })
  await purge()
  await purge()
  expect((await purge()).status).toBe(last)
})

test('--tls names the authority', async () => {
  const { printed } = await start('--launcher', 'external', '--tls')
  expect(printed.join('\n')).toMatch(
    /at https:\/\/127[^]*data\.localhost[^]*export SSL_CERT_FILE='\/.*\.pem'/,
  )
})

describe('--env', () => {
  test('prints what the emulator printed', async () => {
    const { printed, port } = await start('--launcher', 'external')
    const shown = await run('--env', '--port', port)
    expect(shown).toEqual({
      code: 0,
      printed: printed.filter((line) => line.startsWith('export ')),
      warned: '',
    })
    const asJson = await run('--env', '--json', '--port', port)
    expect(JSON.parse(asJson.printed[0]!)).toMatchObject({ RUNPOD_API_KEY: 'emulator' })
  })

  test('with --endpoint prints what a worker needs, and the worker’s lines are shown', async () => {
    const { port, url, warned } = await start('--launcher', 'external')
    const save =
      'mutation { saveEndpoint(input: { name: "mine", gpuIds: "AMPERE_16", template: { name: "mine", imageName: "i", dockerArgs: "", containerDiskInGb: 5, volumeInGb: 0, env: [] } }) { id } }'
    const made = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ query: save }),
    })
    const { id } = ((await made.json()) as any).data.saveEndpoint
    const { printed } = await run('--env', '--port', port, '--endpoint', id)
    const take = /^export RUNPOD_WEBHOOK_GET_JOB='(.*)'$/m.exec(printed.join('\n'))![1]!
    expect(take).toContain(`/v2/${id}/job-take/`)
    const key = /^export RUNPOD_AI_API_KEY='(.*)'$/m.exec(printed.join('\n'))![1]!
    await fetch(take.replace('/job-take/', '/ping/'), { headers: { authorization: key } })
    await vi.waitFor(() => expect(warned.join('\n')).toMatch(/\[mine \S+\] · worker was started by hand/))
  })

  test('says what is in the way', async () => {
    const { port } = await start('--launcher', 'external')
    const other = createServer((_, response) => response.end('<html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const otherPort = String((other.address() as AddressInfo).port)
    cleanUps.push(() => {
      other.closeAllConnections()
      other.close()
    })
    for (const [args, warned] of [
      [['--port', port, '--key', 'wrong'], /BAD_OPTION: .*unauthorized[^]*--key/],
      [['--port', port, '--endpoint', 'nobody'], /no endpoint "nobody"/],
      [['--port', otherPort], /status 200/],
      [['--port', '1'], /nothing answers there[^]*flash emulator/],
    ] as const)
      expect(await run('--env', ...args)).toMatchObject({
        code: 1,
        printed: [],
        warned: expect.stringMatching(warned),
      })
  })
})

test.each([
  [['--port', 'x'], 2, /the port is "x"/],
  [['--launcher', 'vm'], 2, /the launcher is "vm"; there are: process, docker, external/],
  [['--endpoint', 'x'], 2, /--endpoint is for --env/],
  [['--port', '0', '--bundles', '/nowhere'], 1, /BUILD_MISSING/],
  [['--port', '0', '--host', '203.0.113.7'], 1, /cannot listen[^]*/],
])('%j is refused', async (args, code, warned) => {
  const answer = await run(...args)
  expect([answer.code, answer.printed]).toEqual([code, []])
  expect(answer.warned).toMatch(warned)
})

test('other machines need another key than the one that everybody knows', async () => {
  const { warned } = await start('--launcher', 'external', '--host', '0.0.0.0')
  expect(warned.join('\n')).toMatch(/give a --key/)
})

test('a shell reads the variables as they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flash-shell-'))
  cleanUps.push(() => rmSync(folder, { recursive: true }))
  const value = `it's "$HOME" \\ \`x\``
  const script = `${toShell({ VALUE: value }).join('\n')}\nprintf %s "$VALUE"`
  expect(execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' })).toBe(value)
})
