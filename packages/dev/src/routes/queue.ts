import { plainMessage, plainOutput } from '@flash/emulator'
import {
  AppError,
  checkPlain,
  type ErrorCode,
  errorCodes,
  type JobStatus,
  type Message,
  type QueueInput,
} from '@flash/protocol'
import { isWebAddress, jobError, readBody } from '@flash/server'
import type { H3, H3Event } from 'h3'
import type { DevEndpoint } from '../endpoints.ts'
import type { Peer } from '../guard.ts'
import type { Route, RouteTable } from './table.ts'
import { type QueueVerb, type QueueVerbName, queueVerbs, splitQueuePath } from './verbs.ts'

/** What the queue routes need of the runtime. */
export interface QueueRoutesHost {
  table(): RouteTable
  prefix: string
  endpoint(route: Route): DevEndpoint | Promise<DevEndpoint>
}

interface Visit {
  route: Route
  endpoint: DevEndpoint
  request: Request
  /** What follows the verb: a job id. */
  id: string
  peer: Peer
}

const answers: Record<QueueVerbName, (visit: Visit) => Promise<unknown> | unknown> = {
  run_sync: runSync,
  runsync: runSync,
  run: async (visit) => brief(await submit(visit, 'run', 10_000_000)),
  health: ({ endpoint }) => endpoint.queue.health(endpoint.workers()),
  'purge-queue': ({ endpoint }) => endpoint.queue.purge(),
  status: ({ endpoint, id }) => plainStatus(endpoint, known(endpoint.queue.status(id), id)),
  stream: streamItems,
  cancel: ({ endpoint, id }) => brief(known(endpoint.queue.cancel(id), id)),
  retry: ({ endpoint, id }) => brief(known(endpoint.queue.retry(id), id)),
}

/** `{file_prefix}/{export}/{verb}[/{id}]` for programs: plain JSON in, Runpod's shapes out. */
export function addQueueRoutes(app: H3, host: QueueRoutesHost): void {
  app.all('/**', async (event: H3Event) => {
    const segments = event.url.pathname.split('/').filter(Boolean).map(decodeSegment)
    const found = splitQueuePath(segments)
    const route = found && host.table().find(found.path)
    if (!found || !route) throw noRoute(segments, host)
    const { name, id } = found
    const verb: QueueVerb = queueVerbs[name]
    if (event.req.method !== verb.method) {
      throw new AppError('METHOD_NOT_ALLOWED', {
        message: `${event.req.method} is not allowed at ${event.url.pathname}`,
        hint: `use ${verb.method}`,
      })
    }
    const peer = event.context.peer as Peer
    if (verb.serverOnly && peer.kind === 'page') throw serverOnly(name)
    return answers[name]({ route, endpoint: await host.endpoint(route), request: event.req, id, peer })
  })
}

function serverOnly(what: string): AppError {
  return new AppError('OPTION_SERVER_ONLY', {
    message: `"${what}" is not available to pages`,
    hint: 'use it from a program, or in code that runs on a server',
  })
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new AppError('BAD_REQUEST', { message: `"${segment}" is not percent-encoded text` })
  }
}

async function runSync(visit: Visit): Promise<unknown> {
  const submitted = await submit(visit, 'runsync', 20_000_000)
  const waitMs = clamp(Number(new URL(visit.request.url).searchParams.get('wait') ?? 90_000), 1_000, 300_000)
  const status = await visit.endpoint.queue.wait(submitted.id, waitMs)
  return plainStatus(visit.endpoint, known(status, submitted.id))
}

/** Parses a job and queues it; everything but `input` is optional. */
async function submit(
  { route, endpoint, request, peer }: Visit,
  kind: 'run' | 'runsync',
  limitBytes: number,
): Promise<JobStatus> {
  const body = parseJob(await readJson(request, limitBytes), route)
  const option = Object.entries(body.options).find(([, value]) => value !== undefined)?.[0]
  if (option && peer.kind === 'page') throw serverOnly(option)
  const header = body.input['flash:call']
  const input: QueueInput =
    route.fact.kind === 'class'
      ? { ...body.input, 'flash:call': { v: 1, ...header, fn: route.callable.name } }
      : body.input
  return endpoint.submit({
    fact: route.fact,
    input,
    parts: [],
    foreign: header === undefined,
    kind,
    ...body.options,
  })
}

async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    throw new AppError('UNSUPPORTED_TYPE', {
      message: `content type "${type}" is not application/json`,
      hint: 'send: -H "content-type: application/json"',
    })
  }
  let value: unknown
  const text = new TextDecoder().decode(await readBody(request, limitBytes))
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new AppError('BAD_REQUEST', {
      message: `the body is not JSON: ${(error as Error).message}`,
      hint: 'send {"input": {…}}',
    })
  }
  // Deep nesting would overflow whoever writes it to the worker.
  checkPlain(value)
  return value
}

function parseJob(
  body: unknown,
  { callable }: Route,
): { input: QueueInput; options: Record<string, unknown> } {
  const wanted = callable.params?.map(({ name }) => `"${name}": …`).join(', ') ?? '"args": […]'
  const fields = isRecord(body) ? body : {}
  if (!isRecord(fields.input)) {
    throw new AppError('BAD_INPUT', {
      message: 'the body has no object "input"',
      hint: `send {"input": {${wanted}}}`,
      data: { field: 'input' },
    })
  }
  const policy = isRecord(fields.policy) ? fields.policy : {}
  const options = {
    executionTimeoutMs: milliseconds('policy.executionTimeout', policy.executionTimeout, 5_000, 604_800_000),
    ttlMs: milliseconds('policy.ttl', policy.ttl, 10_000, 604_800_000),
    lowPriority: policy.lowPriority === true ? true : undefined,
    webhook: parseWebhook(fields.webhook),
  }
  return { input: fields.input as QueueInput, options }
}

function parseWebhook(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && isWebAddress(value)) return value
  throw new AppError('BAD_INPUT', {
    message: `webhook is ${JSON.stringify(value)}`,
    hint: 'give a URL with http or https',
    data: { field: 'webhook' },
  })
}

function milliseconds(field: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new AppError('BAD_INPUT', {
    message: `${field} is ${JSON.stringify(value)}`,
    hint: `give milliseconds from ${min} to ${max}`,
    data: { field },
  })
}

async function streamItems({ endpoint, id }: Visit): Promise<unknown> {
  const { status, stream } = known(endpoint.queue.stream(id), id)
  const items = await Promise.all(stream.map(({ output }) => plainMessage(output as Message)))
  return { status, stream: items.map((output) => ({ output })) }
}

function brief({ id, status }: JobStatus): unknown {
  return { id, status }
}

/** A job as Runpod shows it. A failure that is the request's or the module's fault is an HTTP error instead. */
async function plainStatus({ name, queue }: DevEndpoint, status: JobStatus): Promise<unknown> {
  if (status.status === 'FAILED') throwUnlessThrown(name, status)
  if (status.output === undefined) return status
  return { ...status, output: await plainOutput(queue, status) }
}

/** Codes of failures before or around the function: the caller sent something wrong, or the code does not load. */
const httpFailures = new Set<ErrorCode>([
  'BAD_INPUT',
  'CANNOT_CARRY',
  'PAYLOAD_TOO_LARGE',
  'SYNTAX_ERROR',
  'MODULE_FAILED',
  'DEPENDENCY_NOT_INSTALLED',
])

function throwUnlessThrown(endpoint: string, status: JobStatus): void {
  const { code, message, hint, data } = jobError(endpoint, status)
  if (!code || !Object.hasOwn(errorCodes, code) || !httpFailures.has(code as ErrorCode)) return
  const place = isRecord(data) && isRecord(data.at) ? (data.at as unknown as AppError['at']) : undefined
  throw new AppError(code as ErrorCode, {
    message,
    hint,
    data,
    at: place,
    frame: isRecord(data) ? (data.frame as string) : undefined,
  })
}

function known<T>(value: T | undefined, id: string): T {
  if (value !== undefined) return value
  throw new AppError('JOB_NOT_FOUND', {
    message: `no job has the id "${id}" here`,
    hint: 'results are kept 30 minutes for /run and 1 minute for /runsync',
  })
}

function noRoute(segments: string[], { table, prefix }: QueueRoutesHost): AppError {
  const { routes, balanced } = table()
  const known = [
    ...routes.map(({ path }) => ({ path, shown: `${prefix}/${path}/run_sync` })),
    ...balanced.map(({ method, path }) => ({ path, shown: `${method} ${prefix}/${path}` })),
  ]
  const likeness = ({ path }: { path: string }) => commonLength(path.split('/'), segments)
  const nearest = known.toSorted((a, b) => likeness(b) - likeness(a)).slice(0, 8)
  const hint =
    known.length > 0
      ? `${known.length > nearest.length ? 'nearest are' : 'there is'}: ${nearest.map(({ shown }) => shown).join(', ')}`
      : 'no remote function and no route was found in this project'
  return new AppError('NOT_FOUND', {
    message: `neither a function nor a route answers at /${segments.join('/')}`,
    hint,
  })
}

/** How many parts two paths begin with in common. */
function commonLength(one: readonly string[], other: readonly string[]): number {
  const at = one.findIndex((part, index) => part !== other[index])
  return at < 0 ? one.length : at
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function clamp(value: number, min: number, max: number): number {
  return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : max
}
