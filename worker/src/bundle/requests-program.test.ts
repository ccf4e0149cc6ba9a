import { EventEmitter } from 'node:events'
import type { BundleFunction, BundleInfo, RouteMethod } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import type { Functions } from '../execute/definition.ts'
import { defineRoute } from '../routes/define.ts'
import { openProgram } from './program.ts'
import { functionOf } from './testing.ts'
import type { BundleProcess } from './types.ts'

/** A program in a process that does not really end. */
function open({ args = [], env = { PORT: '0' } }: { args?: string[]; env?: Record<string, string> }) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string, done?: () => void) {
      written[name] += text
      done?.()
      return true
    },
  })
  const events = new EventEmitter()
  const exit = vi.fn<(code: number) => void>()
  const exited = new Promise<number>((resolve) => exit.mockImplementation(resolve))
  const process = {
    argv: ['node', 'main.mjs', ...args],
    env,
    version: 'v24.1.0',
    cwd: () => '/tmp',
    exit,
    on: events.on.bind(events),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  }
  const crash = vi.fn()
  const host = { process: process as unknown as BundleProcess, root: '/app', serve() {}, crash }
  const start = openProgram({ ...host, serveJobs: () => new Promise(() => {}) })
  const emit = events.emit.bind(events)
  const listening = () =>
    vi.waitFor(() => {
      const [, port] = /listening at port (\d+)/.exec(written.stderr) ?? []
      expect(port).toBeDefined()
      return `http://127.0.0.1:${port}`
    })
  return { start, emit, exit, exited, written, crash, listening }
}

function routes(handlers: Record<string, unknown>, config: object = {}) {
  const table: Functions = Object.create(null)
  const facts = Object.entries(handlers).map(([name, handler]): BundleFunction => {
    const [method, path] = name.split(' ') as [RouteMethod, string]
    defineRoute(table, `${name}-id`, { config }, method, path, handler)
    return functionOf(name, [], { kind: 'route', route: { method, path, schemas: [] }, callables: [] })
  })
  return { table, facts }
}

const infoOf = (functions: BundleFunction[], more: Partial<BundleInfo> = {}): BundleInfo => ({
  endpoint: 'shop',
  wireVersion: 1,
  node: 24,
  maxConcurrency: 1,
  instances: 16,
  executionTimeoutMs: 10_000,
  functions,
  ...more,
})

describe('a worker that answers requests', () => {
  test('ends with 0 at a signal, its state disposed', async () => {
    const dispose = vi.fn()
    const { table, facts } = routes({ 'GET /': () => 'hello' }, { setup: () => ({ dispose }) })
    const { start, emit, exited, listening } = open({})
    start(infoOf(facts), [table])
    const url = await listening()
    expect(await (await fetch(url)).json()).toBe('hello')
    emit('SIGTERM')
    expect(await exited).toBe(0)
    expect(dispose).toHaveBeenCalledTimes(1)
  })

  test('whose setup throws says so', async () => {
    const setup = () => Promise.reject(new Error('no model'))
    const { table, facts } = routes({ 'GET /': () => 'hello' }, { setup })
    const { start, emit, exited, listening, written } = open({})
    start(infoOf(facts), [table])
    expect((await fetch(await listening())).status).toBe(503)
    expect(written.stderr).toContain('flash: SETUP_FAILED: ')
    emit('SIGTERM')
    expect(await exited).toBe(0)
  })

  test('that is told to end while it starts does not complain', async () => {
    const begun = vi.fn()
    const setup = () => {
      begun()
      return new Promise((resolve) => setTimeout(resolve, 50))
    }
    const { table, facts } = routes({ 'GET /': () => 'hello' }, { setup })
    const { start, emit, exited, listening, written } = open({})
    start(infoOf(facts), [table])
    await listening()
    emit('SIGTERM')
    expect(await exited).toBe(0)
    expect(begun).toHaveBeenCalledTimes(1)
    expect(written.stderr).toMatch(/^listening at port \d+\n$/)
  })

  test('with an error that nobody caught ends with 1; a second one ends it at once', async () => {
    const { table, facts } = routes({ 'GET /': () => 'hello' })
    const { start, emit, exited, listening, written, crash } = open({})
    start(infoOf(facts), [table])
    await listening()
    emit('uncaughtException', new Error('in a timer'))
    const second = new Error('once more')
    emit('uncaughtException', second)
    expect(await exited).toBe(1)
    expect(written.stderr).toContain('flash: Error: in a timer')
    expect(crash.mock.calls).toEqual([[second]])
  })

  for (const [what, env, info, message] of [
    ['an older Node', { PORT: '0' }, { node: 99 }, 'NODE_MISMATCH'],
    ['a port that is none', { PORT: '99999' }, {}, 'BAD_ENVIRONMENT: PORT is "99999"'],
  ] as const)
    test(`ends with 1 for ${what}`, async () => {
      const { table, facts } = routes({ 'GET /': () => 'hello' })
      const { start, exited, written } = open({ env })
      start(infoOf(facts, info), [table])
      expect(await exited).toBe(1)
      expect(written.stderr).toContain(message)
    })

  test('whose modules define nothing says so', async () => {
    const { facts } = routes({ 'GET /': () => 'hello' })
    const { start, exited, written } = open({})
    start(infoOf(facts), [Object.create(null)])
    expect(await exited).toBe(1)
    expect(written.stderr).toContain('UNKNOWN_FUNCTION')
  })
})

describe('modules that do not load', () => {
  test('health checks and requests are told, at both ports', async () => {
    const free = open({})
    const { table, facts } = routes({ 'GET /': () => 'hello' })
    free.start(infoOf(facts), [table])
    const port = new URL(await free.listening()).port
    free.emit('SIGTERM')
    await free.exited
    const { emit, exited, listening } = open({ env: { PORT: '0', PORT_HEALTH: port } })
    emit('uncaughtException', new Error('top of the module'))
    const url = await listening()
    expect((await fetch(`http://127.0.0.1:${port}/ping`)).status).toBe(503)
    const refused = await fetch(url, { method: 'POST', body: 'x' })
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'WORKER_UNAVAILABLE' }])
    emit('SIGINT')
    expect(await exited).toBe(0)
  })

  test('a port that is taken ends the process', async () => {
    const first = open({})
    first.emit('uncaughtException', new Error('top of the module'))
    const { port } = new URL(await first.listening())
    const second = open({ env: { PORT: port } })
    second.emit('uncaughtException', new Error('top of the module'))
    expect(await second.exited).toBe(1)
    expect(second.written.stderr).toContain('EADDRINUSE')
    first.emit('SIGTERM')
    await first.exited
  })
})

describe('one request', () => {
  const ask = async (request: object) => {
    const { table, facts } = routes({
      'GET /': () => ({ a: 1 }),
      'POST /': ({ body }: any) => body,
      'GET /bytes': () => new Uint8Array([255]),
      'GET /text': () => new Response('text', { status: 404 }),
      'DELETE /': () => {},
    })
    const { start, exited, written } = open({ args: ['--test-input', JSON.stringify({ request })], env: {} })
    start(infoOf(facts), [table])
    return [await exited, JSON.parse(written.stdout)]
  }

  for (const [what, request, code, answer] of [
    ['data', { path: '/' }, 0, { status: 200, body: { a: 1 } }],
    ['a body of JSON', { path: '/', body: { b: 2 } }, 0, { body: { b: 2 } }],
    ['a body of text', { path: '/', body: 'b' }, 0, { body: 'b' }],
    [
      'a body with its own type',
      { path: '/', body: '[1]', headers: { 'content-type': 'application/json' } },
      0,
      { body: [1] },
    ],
    ['nothing', { path: '/', method: 'delete' }, 0, { status: 204, body: null }],
    ['bytes', { path: '/bytes' }, 0, { body: { base64: '/w==' } }],
    ['text, and a status that says no', { path: '/text' }, 1, { status: 404, body: 'text' }],
  ] as const)
    test(what, async () => expect(await ask(request)).toMatchObject([code, answer]))
})
