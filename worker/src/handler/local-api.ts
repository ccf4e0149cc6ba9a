import { randomUUID } from 'node:crypto'
import { AppError, errorCodes, queueLimits } from '@flash/protocol'
import type { Fetch } from '../balanced/serve.ts'
import type { JobRunner } from '../queue/types.ts'
import { checkCaller } from './guard.ts'
import { type LocalRun, runLocally } from './run-job.ts'

export interface LocalApiOptions {
  runner: JobRunner
  /** Jobs that run beside each other; others wait. */
  concurrency: number
  /** Only programs of this machine can reach it. */
  isLocal: boolean
  /** Has a route of its own. */
  endpointId: string | undefined
  say(line: string): void
  /** Sends a webhook; `globalThis.fetch` when omitted. */
  fetch?: typeof fetch
}

interface GivenJob {
  input: Record<string, unknown>
  webhook?: string
  [field: string]: unknown
}

interface Api extends LocalApiOptions {
  /** Those that wait to be asked for. */
  jobs: Map<string, GivenJob>
  run(job: { id: string } & GivenJob): Promise<LocalRun>
}

/** Jobs that nobody asked for. */
const jobsLimit = 1_000

const webhookMs = 10_000

/**
 * What a worker answers on the machine of its author, in the shapes of the platform.
 *
 * Source: runpod-python 1.12, serverless worker, local API.
 */
export function createLocalApi(options: LocalApiOptions): Fetch {
  const enter = createGate(options.concurrency)
  const api: Api = {
    ...options,
    jobs: new Map(),
    run: (job) => enter(() => runLocally(options.runner, job, options.say)),
  }
  return async (request) => {
    try {
      const refusal = checkCaller(request, options.isLocal)
      if (refusal) throw refusal
      return await answer(api, request)
    } catch (error) {
      if (error instanceof AppError) return refuse(error)
      throw error
    }
  }
}

async function answer(api: Api, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const [, name = '', id, ...rest] = pathname.split('/')
  if (rest.length === 0 && id !== undefined) return answerJob(api, request, name, id)
  if (name === '') return new Response(page, html)
  if (name === 'docs') return Response.redirect(new URL('/', request.url), 307)
  if (name !== 'run' && name !== 'runsync') throw notFound(pathname)
  const job = await readJob(request)
  return name === 'run' ? keep(api, job) : runNow(api, `test-${randomUUID()}`, job)
}

async function answerJob(api: Api, request: Request, name: string, id: string): Promise<Response> {
  if (name === 'status' || name === 'stream') {
    const job = api.jobs.get(id)
    api.jobs.delete(id)
    if (!job) return Response.json({ id, status: 'FAILED', error: 'Job ID not found' })
    return name === 'status' ? runNow(api, id, job) : streamNow(api, id, job)
  }
  if (id === 'realtime' && name !== '' && name === api.endpointId) {
    const job = await readJob(request)
    const { result } = await api.run({
      ...job,
      id: typeof job.id === 'string' ? job.id : `test-${randomUUID()}`,
    })
    return Response.json(result)
  }
  throw notFound(`/${name}/${id}`)
}

function keep({ jobs }: Api, job: GivenJob): Response {
  const id = `test-${randomUUID()}`
  jobs.set(id, job)
  if (jobs.size > jobsLimit) jobs.delete(jobs.keys().next().value!)
  return Response.json({ id, status: 'IN_PROGRESS' })
}

async function runNow(api: Api, id: string, job: GivenJob): Promise<Response> {
  const { result, items } = await api.run({ ...job, id })
  const { error } = result
  if (error !== undefined) return Response.json({ id, status: 'FAILED', error })
  const output = items ?? result.output ?? null
  if (typeof job.webhook === 'string') void callWebhook(api, job.webhook, items ? { output } : result)
  return Response.json({ id, status: 'COMPLETED', output })
}

async function streamNow(api: Api, id: string, job: GivenJob): Promise<Response> {
  const { result, items } = await api.run({ ...job, id })
  const error = items ? result.error : 'Stream not supported, handler must be a generator.'
  if (error !== undefined) return Response.json({ id, status: 'FAILED', error })
  return Response.json({ id, status: 'COMPLETED', stream: items!.map((output) => ({ output })) })
}

/** Once; who does not answer is told of in the log. */
async function callWebhook(
  { fetch = globalThis.fetch, say }: Api,
  url: string,
  result: object,
): Promise<void> {
  try {
    const { status, body } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(result),
      signal: AbortSignal.timeout(webhookMs),
    })
    await body?.cancel()
    if (status >= 400) say(`the webhook answered with status ${status}`)
  } catch (error) {
    say(`the webhook was not reached: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Throws `UNSUPPORTED_TYPE`, `BAD_REQUEST` for what is no JSON, `BAD_INPUT` for what is no job. */
async function readJob(request: Request): Promise<GivenJob> {
  requirePost(request)
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\b/i.test(type)) {
    throw new AppError('UNSUPPORTED_TYPE', {
      message: `the body is ${type || 'of no type'}`,
      hint: 'send content-type: application/json',
    })
  }
  const job = parse(await request.text())
  if (isRecord(job) && isRecord(job.input)) return job as GivenJob
  throw new AppError('BAD_INPUT', {
    message: 'the body has no "input" that is an object',
    hint: 'send {"input": {…}}',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('BAD_REQUEST', {
      message: 'the body is not JSON',
      hint: 'send {"input": {…}}',
      cause,
    })
  }
}

function requirePost({ method, url }: Request): void {
  if (method === 'POST') return
  throw new AppError('METHOD_NOT_ALLOWED', {
    message: `${new URL(url).pathname} does not answer to ${method}`,
    hint: 'use POST',
  })
}

function notFound(path: string): AppError {
  return new AppError('NOT_FOUND', {
    message: `nothing answers at ${path}`,
    hint: 'GET / says what there is',
  })
}

function refuse({ code, message, hint }: AppError): Response {
  return Response.json({ error: message, code, hint }, { status: errorCodes[code].status })
}

/** Lets so many in at once, the others in their order. */
function createGate(size: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = size
  return async (run) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Larger than what the platform takes, the platform's own limit says more than this one. */
export const apiBodyBytes = queueLimits.runSyncBytes

const html = { headers: { 'content-type': 'text/html; charset=utf-8' } }

const page = `<!doctype html>
<html lang="en">
<title>Worker</title>
<h1>Worker</h1>
<p>Bodies are JSON: <code>{"input": {…}}</code>.</p>
<dl>
<dt><code>POST /runsync</code><dd>runs a job and answers with its result
<dt><code>POST /run</code><dd>keeps a job and answers with its id
<dt><code>POST /status/{id}</code><dd>runs the kept job and answers with its result
<dt><code>POST /stream/{id}</code><dd>the same for a generator, with its items
</dl>
</html>
`
