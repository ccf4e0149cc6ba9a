import { isFinalState, type JobStatus, queueLimits } from '@flash/protocol'
import { type Answer, refusal, toAnswer } from '../http/answer.ts'
import { readBody } from '../http/body.ts'
import { parseJson } from '../http/json.ts'
import { signalOf } from '../http/run.ts'
import { queryValue } from '../http/target.ts'
import type { Submission } from '../queue/index.ts'
import { passToOpenAi } from './openai.ts'
import type { RateName } from './rates.ts'
import { untilNews } from './stream.ts'
import { badRequest, parseSubmission } from './submission.ts'
import type { Visit } from './visit.ts'

/** One row of the operation reference. `id`: a job id follows, nothing does, or anything may. */
export interface Operation {
  methods: readonly string[]
  id: 'job' | 'none' | 'any'
  rate?: RateName
  answer(visit: Visit): Answer | null | Promise<Answer | null>
}

const post = ['POST'] as const
const get = ['GET'] as const
/** Clients of different ages use one or the other. */
const both = ['GET', 'POST'] as const

/** By the first segment below the endpoint. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['run', { methods: post, id: 'none', rate: 'run', answer: run }],
  ['runsync', { methods: post, id: 'none', rate: 'runsync', answer: runSync }],
  ['status', { methods: both, id: 'job', rate: 'status', answer: status }],
  ['status-sync', { methods: both, id: 'job', rate: 'status', answer: statusSync }],
  ['stream', { methods: both, id: 'job', rate: 'status', answer: stream }],
  ['cancel', { methods: post, id: 'job', rate: 'cancel', answer: cancel }],
  ['retry', { methods: post, id: 'job', answer: retry }],
  ['purge-queue', { methods: post, id: 'none', rate: 'purge', answer: purge }],
  ['health', { methods: get, id: 'none', answer: health }],
  ['metrics', { methods: get, id: 'none', answer: metrics }],
  ['openai', { methods: both, id: 'any', rate: 'openai', answer: passToOpenAi }],
])

async function run(visit: Visit): Promise<Answer> {
  const submission = await readSubmission(visit, visit.limits.runBytes)
  return brief(visit.endpoint.queue.submit(submission))
}

async function runSync({ endpoint: { queue }, ...visit }: Visit): Promise<Answer> {
  const waitMs = parseWait(visit.query)
  const submission = await readSubmission(visit, visit.limits.runSyncBytes)
  const { keepRunSyncMs, keepRunSyncMaxMs } = queueLimits
  const isLong = queryValue(visit.query, 'wait') !== null && waitMs > keepRunSyncMs
  const keepMs = isLong ? Math.min(waitMs, keepRunSyncMaxMs) : undefined
  const { id } = queue.submit({ ...submission, kind: 'runsync', keepMs })
  return known(await queue.wait(id, waitMs))
}

async function readSubmission({ request }: Pick<Visit, 'request'>, limitBytes: number): Promise<Submission> {
  return parseSubmission(parseJson(await readBody(request, limitBytes)))
}

/** Milliseconds; what is too little or too much is taken as the nearest allowed value. */
function parseWait(query: string): number {
  const { default: usual, min, max } = queueLimits.waitMs
  const text = queryValue(query, 'wait')
  if (text === null || text === '') return usual
  const ms = Number(text)
  if (Number.isNaN(ms)) throw badRequest(`wait is "${text}", it must be milliseconds from ${min} to ${max}`)
  return Math.min(max, Math.max(min, ms))
}

function status(visit: Visit): Answer {
  const { endpoint, query, rest } = visit
  const ttlMs = parseTtl(query)
  const found = resultOf(visit, endpoint.queue.status(rest[0]!))
  if (found && ttlMs !== null) endpoint.queue.expire(rest[0]!, ttlMs)
  return known(found)
}

function parseTtl(query: string): number | null {
  const text = queryValue(query, 'ttl')
  if (text === null || text === '') return null
  const ms = Number(text)
  const { max } = queueLimits.ttlMs
  if (ms >= 0 && ms <= max) return ms
  throw badRequest(`ttl is "${text}", it must be milliseconds up to ${max}`)
}

async function statusSync(visit: Visit): Promise<Answer> {
  const waited = await visit.endpoint.queue.wait(visit.rest[0]!, parseWait(visit.query))
  return known(resultOf(visit, waited))
}

async function stream(visit: Visit): Promise<Answer> {
  const { endpoint, rest, clock, limits, response } = visit
  const id = rest[0]!
  const now = endpoint.queue.stream(id)
  if (!resultOf(visit, now)) return noJob
  if (now!.stream.length > 0 || isFinalState(now!.status)) return toAnswer(now)
  const signal = signalOf(response)
  await untilNews(endpoint.queue, id, { clock, ms: limits.streamHoldMs, signal })
  // Items that are read for nobody would be lost.
  return signal.aborted ? noJob : known(endpoint.queue.stream(id))
}

/** A result that a fault says is gone is not there. */
function resultOf<T extends { status: JobStatus['status'] }>(
  { faults, endpoint }: Visit,
  found: T | undefined,
): T | undefined {
  if (!found || !isFinalState(found.status)) return found
  const { id, name } = endpoint.spec
  return faults.take('expiredResult', { endpoint: id, name }) ? undefined : found
}

function cancel({ endpoint, rest }: Visit): Answer {
  return brief(endpoint.queue.cancel(rest[0]!))
}

function retry({ endpoint, rest }: Visit): Answer {
  return brief(endpoint.queue.retry(rest[0]!))
}

function purge({ endpoint }: Visit): Answer {
  return toAnswer(endpoint.queue.purge())
}

function health({ endpoint }: Visit): Answer {
  return toAnswer(endpoint.queue.health(endpoint.counts()))
}

function metrics({ endpoint }: Visit): Answer {
  const ready = endpoint.workers().filter(({ state }) => state === 'IDLE' || state === 'RUNNING')
  return toAnswer({ workers: endpoint.counts(), readyWorkers: ready.map(({ id }) => id) })
}

const noJob = refusal(404, 'job not found')

function known(found: unknown): Answer {
  return found === undefined ? noJob : toAnswer(found)
}

function brief(found: JobStatus | undefined): Answer {
  return found ? toAnswer({ id: found.id, status: found.status }) : noJob
}
