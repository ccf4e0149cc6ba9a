import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createQueue, type Job, parsePolicy, type Queue } from '@flash/emulator'
import {
  type Clock,
  encodeOutput,
  type InputShape,
  readInput,
  toWireError,
  writeFailure,
  writeOutput,
} from '@flash/protocol'

/** Tests run that many times faster than what they test. */
const SPEED = 50

/** A clock on which everything takes a fiftieth of its time. */
export const fastClock: Clock = {
  now: () => Date.now() * SPEED,
  after(ms, run) {
    const timer = setTimeout(run, ms / SPEED)
    return () => clearTimeout(timer)
  },
}

export interface FakeRequest {
  method: string
  /** Below the address, with the query. */
  path: string
  headers: IncomingMessage['headers']
  body: any
}

/**
 * What goes wrong with one request.
 *
 * - `lost`: it is handled, and the connection closed without an answer · `cut`: the answer ends in the middle.
 * - `silent`: it is handled, and never answered · a status with a text: it is not handled.
 */
export type Fault =
  | 'lost'
  | 'cut'
  | 'silent'
  | { status: number; text?: string; headers?: Record<string, string> }

export interface FakeQueue {
  /** With the id of its one endpoint. */
  url: string
  /** Below which the endpoint, and the look-up, are. */
  base: string
  queue: Queue
  requests: FakeRequest[]
  paths(): string[]
  /** The next requests whose path begins like this meet these, in turn. */
  fail(path: string, ...faults: Fault[]): void
  /** Takes each job as it comes, and runs it as a worker would. */
  work(shape: InputShape, run: (args: unknown[], job: Job, worker: FakeWorker) => unknown): void
  close(): Promise<void>
}

export interface FakeWorker {
  item(value: unknown): Promise<void>
  progress(value: unknown): Promise<void>
}

export interface FakeQueueOptions {
  /** Whether the host has the waiting form of status. */
  waits?: boolean
  /** What the look-up finds the endpoint by. */
  named?: { app: string; environment: string; endpoint: string }
  /** Refuse all other keys. */
  key?: string
}

const ID = 'abc123'
const WORKER = 'worker-1'

/** A queue address over real HTTP, whose answers can go wrong. */
export async function startFakeQueue(options: FakeQueueOptions = {}): Promise<FakeQueue> {
  const queue = createQueue({ clock: fastClock, executionTimeoutMs: 600_000, maxConcurrency: 100 })
  const requests: FakeRequest[] = []
  const faults: { path: string; fault: Fault }[] = []
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming)
    requests.push(request)
    const at = faults.findIndex(({ path }) => request.path.startsWith(path))
    const [found] = at < 0 ? [] : faults.splice(at, 1)
    if (typeof found?.fault === 'object') return send(response, found.fault)
    const answer = await handle(queue, request, options)
    if (found) spoil(response, found.fault as Exclude<Fault, object>, answer.text)
    else send(response, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`
  return {
    url: `${base}/${ID}`,
    base,
    queue,
    requests,
    paths: () => requests.map(({ path }) => path),
    fail: (path, ...list) => void faults.push(...list.map((fault) => ({ path, fault }))),
    work: (shape, run) => void queue.onWaiting(() => void runJob(queue, shape, run)),
    close: () =>
      new Promise((resolve) => {
        queue.close()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const path = incoming.url!.replace(/^\/v2/, '')
  return {
    method: incoming.method!,
    path,
    headers: incoming.headers,
    body: text ? JSON.parse(text) : undefined,
  }
}

interface Answer {
  status: number
  text?: string
  headers?: Record<string, string>
}

const json = (value: unknown, status = 200): Answer => ({ status, text: JSON.stringify(value) })

async function handle(queue: Queue, request: FakeRequest, options: FakeQueueOptions): Promise<Answer> {
  const { key } = options
  if (key !== undefined && request.headers.authorization !== `Bearer ${key}`)
    return json({ error: 'no' }, 401)
  const url = new URL(request.path, 'http://queue.test')
  const [, endpoint, verb, id = ''] = url.pathname.split('/').map(decodeURIComponent)
  if (endpoint !== ID && !(endpoint === 'flash' && isNamed(request, options)))
    return json({ error: 'endpoint not found' }, 404)
  const waitMs = Number(url.searchParams.get('wait') ?? 90_000)
  const routes: Record<string, () => unknown> = {
    'POST run': () => submit(queue, request, 'run'),
    'POST runsync': () => queue.wait(submit(queue, request, 'runsync').id, waitMs),
    'GET status': () => queue.status(id),
    'GET status-sync': () => (options.waits ? queue.wait(id, waitMs) : undefined),
    'GET stream': () => queue.stream(id),
    'POST cancel': () => queue.cancel(id),
  }
  const value = await routes[`${request.method} ${verb}`]?.()
  return value === undefined ? json({ error: 'not found' }, 404) : json(value)
}

function isNamed({ headers }: FakeRequest, { named }: FakeQueueOptions): boolean {
  const given = [headers['x-flash-app'], headers['x-flash-environment'], headers['x-flash-endpoint']]
  return named !== undefined && given.join() === [named.app, named.environment, named.endpoint].join()
}

function submit(queue: Queue, { body }: FakeRequest, kind: 'run' | 'runsync') {
  const { input, policy, webhook } = body
  return queue.submit({ input, kind, policy: parsePolicy(policy), webhook })
}

function send(response: ServerResponse, { status, text = '', headers }: Answer): void {
  response.writeHead(status, headers).end(text)
}

function spoil(response: ServerResponse, fault: Exclude<Fault, object>, text = ''): void {
  if (fault === 'lost') response.socket!.destroy()
  if (fault === 'cut') response.end(text.slice(0, text.length / 2))
}

async function runJob(queue: Queue, shape: InputShape, run: Parameters<FakeQueue['work']>[1]): Promise<void> {
  // Jobs are taken a moment after they came, as by a worker that asks.
  await sleep(1)
  const job = queue.take(WORKER)
  if (!job) return
  const { args } = readInput(shape, job.input)
  const write = async (value: unknown) =>
    JSON.parse(writeOutput(await encodeOutput(value, { foreign: false })))
  let items = 0
  try {
    const value = await run(args, job, {
      async item(value) {
        items++
        queue.item(job.id, WORKER, await write(value))
      },
      progress: async (value) => void queue.progress(job.id, WORKER, await write(value)),
    })
    queue.complete(job.id, WORKER, { output: items > 0 ? [] : await write(value) })
  } catch (error) {
    queue.complete(job.id, WORKER, { error: writeFailure(toWireError(error, { stack: false })) })
  }
}
