import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type StopAnswer, type TakenJob } from '@flash/protocol'
import type { DataLimits } from '../data/limits.ts'
import type { RunningEndpoint } from '../endpoints/types.ts'
import { type Answer, notAllowed, refusal, toAnswer } from '../http/answer.ts'
import { readBody } from '../http/body.ts'
import { isRecord, parseJson } from '../http/json.ts'
import { answerWith, type PlaneHost, signalOf } from '../http/run.ts'
import { queryValue, type Target } from '../http/target.ts'
import type { Job } from '../queue/index.ts'
import { badReport, reportDone, reportItem } from './reports.ts'

export interface WorkerPlaneHost extends PlaneHost {
  /** `runSyncBytes`: of a result, too. */
  limits: Pick<DataLimits, 'runSyncBytes' | 'emptyInput'>
}

interface Visit {
  host: WorkerPlaneHost
  endpoint: RunningEndpoint
  request: IncomingMessage
  response: ServerResponse
  workerId: string
  jobId: string
  query: string
}

interface Operation {
  method: 'GET' | 'POST'
  takesJob: boolean
  answer(visit: Visit): Answer | Promise<Answer>
}

/** Workers cut their list of jobs at 65,535 bytes, at the end of an id. */
const CUT_FROM_CHARACTERS = 65_000

/** How long a request without anything to tell is kept. */
const HOLD_MS = 20_000

/** By the first segment below the endpoint. */
const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['job-take', { method: 'GET', takesJob: false, answer: takeOne }],
  ['job-take-batch', { method: 'GET', takesJob: false, answer: takeBatch }],
  ['job-stop', { method: 'GET', takesJob: false, answer: stop }],
  ['job-done', { method: 'POST', takesJob: true, answer: report(reportDone) }],
  ['job-stream', { method: 'POST', takesJob: true, answer: report(reportItem) }],
  ['ping', { method: 'GET', takesJob: false, answer: ping }],
])

/** Whether a path below an endpoint is for its workers. */
export function isWorkerOperation(name: string | undefined): boolean {
  return name !== undefined && operations.has(name)
}

/** The queues of all endpoints, for their workers. */
export interface WorkerPlane {
  /** Answers a request that showed the key of the endpoint; `target.segments` begins with the operation. */
  answer(
    endpoint: RunningEndpoint,
    target: Target,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>
}

export function createWorkerPlane(host: WorkerPlaneHost): WorkerPlane {
  return {
    answer(endpoint, target, request, response) {
      const { id, name } = endpoint.spec
      const place = { plane: 'worker', endpoint: id, name } as const
      return answerWith(host, place, response, () => {
        const operation = operations.get(target.segments[0] ?? '')
        if (!operation || endpoint.spec.kind === 'balanced') return refusal(404, 'not found')
        if (request.method !== operation.method) return notAllowed([operation.method])
        const found = parsePlace(operation, target)
        return found
          ? operation.answer({ host, endpoint, request, response, ...found })
          : refusal(400, 'the worker or job of the address cannot be read')
      })
    },
  }
}

function parsePlace(
  { takesJob }: Operation,
  { segments: [, workerPart = '', jobPart = '', ...more], query }: Target,
): Pick<Visit, 'workerId' | 'jobId' | 'query'> | null {
  const worker = splitPart(workerPart, query)
  const job = splitPart(jobPart, worker.query)
  const isWhole = more.length === 0 && isId(worker.id) && (takesJob ? isId(job.id) : jobPart === '')
  return isWhole ? { workerId: worker.id, jobId: job.id, query: job.query } : null
}

/** Older workers append their query with `&` where there is none: `/job-take/w1&job_in_progress=0`. */
function splitPart(part: string, query: string): { id: string; query: string } {
  const mark = part.indexOf('&')
  if (mark === -1) return { id: part, query }
  return {
    id: part.slice(0, mark),
    query: query === '' ? part.slice(mark + 1) : `${part.slice(mark + 1)}&${query}`,
  }
}

function isId(text: string): boolean {
  return /^[\w.:-]{1,128}$/.test(text)
}

async function takeOne(visit: Visit): Promise<Answer> {
  const [job] = await take(visit, 1)
  return job ? toAnswer(toTaken(job, visit.host)) : nothing
}

async function takeBatch(visit: Visit): Promise<Answer> {
  const size = Number(queryValue(visit.query, 'batch_size') ?? 1)
  if (!Number.isSafeInteger(size) || size < 1) throw badReport('batch_size is no whole number above 0')
  const jobs = await take(visit, size)
  return jobs.length > 0 ? toAnswer(jobs.map((job) => toTaken(job, visit.host))) : nothing
}

/** A worker that goes away before it has the answer does not take its jobs along: the signal tells. */
function take({ endpoint, workerId, response }: Visit, count: number): Promise<Job[]> {
  return endpoint.take(workerId, { count, holdMs: HOLD_MS, signal: signalOf(response) })
}

const nothing: Answer = { status: 204 }

/** What the caller sent beside the input comes first: the id is the queue's. */
function toTaken(
  { id, input, extra }: Job,
  { limits: { emptyInput } }: WorkerPlaneHost,
): TakenJob | { id: string } {
  const isDropped = emptyInput === 'drop' && isRecord(input) && Object.keys(input).length === 0
  return isDropped ? { ...(extra as object), id } : { ...(extra as object), id, input }
}

async function stop({ endpoint, workerId, response }: Visit): Promise<Answer> {
  const ids = await endpoint.stops(workerId, { holdMs: HOLD_MS, signal: signalOf(response) })
  return ids.length > 0 ? toAnswer({ jobsToStop: ids } satisfies StopAnswer) : nothing
}

function report(accept: typeof reportDone) {
  return async ({ host, endpoint, request, workerId, jobId }: Visit): Promise<Answer> => {
    const bytes = await readResult(request, host.limits.runSyncBytes)
    accept(endpoint, { workerId, jobId }, parseJson(bytes))
    return { status: 200 }
  }
}

/** Workers know 400 as the answer to a result that is refused; anything above makes them try it again. */
async function readResult(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  try {
    return await readBody(request, limitBytes)
  } catch (error) {
    throw error instanceof AppError ? badReport(error.message) : error
  }
}

function ping({ endpoint, workerId, query }: Visit): Answer {
  const parameters = new URLSearchParams(query)
  const list = parameters.get('job_id') ?? ''
  const reason = `${parameters.get('check') ?? 'unknown check'}: ${parameters.get('reason') ?? 'no reason given'}`
  const isUnhealthy = parameters.get('status') === 'unhealthy'
  endpoint.heard(workerId, {
    jobs: list.split(',').filter(Boolean),
    isCut: list.length >= CUT_FROM_CHARACTERS,
    ...(isUnhealthy && { unhealthy: reason }),
  })
  return { status: 200 }
}
