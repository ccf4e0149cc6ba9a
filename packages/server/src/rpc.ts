import { AppError, type Clock, encodeMessage, FrameType, isBalanced, systemClock } from '@flash/protocol'
import { type Chain, fromChainHeaders, limitChain } from '@flash/runtime/server'
import { answerJob, answerWhole } from './answer.ts'
import type { FoundFunction, RpcBackend, RpcJob } from './backend.ts'
import type { Capability } from './capability.ts'
import { type CallEnvelope, parseCall, parseResume, type ResumeEnvelope, type RpcCaller } from './envelope.ts'
import { type Gate, openGate, Refusal } from './gate.ts'
import { isGone } from './incoming.ts'
import { createKeys, KEPT_MS, type Keys } from './keys.ts'
import { emptyMessage, textMessage } from './messages.ts'
import { problemResponse } from './problem.ts'
import { checkRequest, readCall, readJson } from './read-message.ts'
import { createReaders, type Readers } from './readers.ts'
import { fetchBalanced } from './rpc/fetch.ts'
import { checkReference } from './rpc/reference.ts'
import { createToError, type OnInternal } from './rpc/to-error.ts'
import { unknownFunction } from './target.ts'

/** What calls of functions with a queue need. */
export type CallBackend = Omit<RpcBackend, 'fetch' | 'seat'>

export interface CallHandlerOptions {
  capability: Capability
  backend: CallBackend
  /** Everybody may call everything when omitted. */
  gate?: Gate
  clock?: Clock
  graceMs?: number
  keepAliveMs?: number
  /** How long a call may be without a reader before it is cancelled. */
  orphanMs?: number
  Response?: typeof Response
  onInternal?: OnInternal
}

export interface RpcOptions extends CallHandlerOptions {
  backend: RpcBackend
}

interface RpcContext extends Required<Omit<CallHandlerOptions, 'onInternal' | 'orphanMs'>> {
  answerFetch?: AnswerFetch
  readers: Readers
  keys: Keys
  toError(error: unknown): AppError
}

export type RpcHandler = (request: Request, path: string, caller: RpcCaller) => Promise<Response>

/** Answers a request to a load-balanced endpoint. */
type AnswerFetch = (
  context: RpcContext,
  request: Request,
  how: { id: string; found: FoundFunction; caller: RpcCaller },
) => Promise<Response>

/**
 * The route below `{prefix}/rpc/`: `{id}.{tag}`, `resume` and `cancel`.
 *
 * - before a call is accepted: problem JSON with our marker header; afterwards a stream of frames.
 * - `path`: what follows `rpc/` in the URL.
 *
 * The host has checked the origin of the request already.
 */
export function createRpcHandler(options: RpcOptions): RpcHandler {
  const { backend } = options
  return createCallHandler(options, (context, request, how) =>
    fetchBalanced({ ...context, backend }, request, how),
  )
}

/** The same for functions with a queue only, where `answerFetch` is omitted. */
export function createCallHandler(options: CallHandlerOptions, answerFetch?: AnswerFetch): RpcHandler {
  const { clock = systemClock, orphanMs = 30_000 } = options
  const context: RpcContext = {
    gate: openGate,
    graceMs: 20,
    keepAliveMs: 15_000,
    Response: globalThis.Response,
    ...options,
    answerFetch,
    clock,
    readers: createReaders(clock, orphanMs),
    keys: createKeys(clock),
    toError: createToError(options.onInternal),
  }
  return async (request, path, caller) => {
    try {
      checkRequest(request)
      if (path === 'resume') return await resume(context, request, caller)
      if (path === 'cancel') return await cancel(context, request, caller)
      return await call(context, request, path, caller)
    } catch (error) {
      if (error instanceof Refusal) return error.response
      return problemResponse(context.toError(error), context.Response)
    }
  }
}

async function call(
  context: RpcContext,
  request: Request,
  path: string,
  caller: RpcCaller,
): Promise<Response> {
  const id = checkReference(context.capability, path, caller)
  const found = await context.backend.find(id)
  if (!found) throw unknownFunction(id)
  const { answerFetch } = context
  if (answerFetch && takesRequests(found)) return answerFetch(context, request, { id, found, caller })
  const admit = (kind: 'call' | 'run', method?: string) =>
    context.gate.admit(request, { kind, id, endpoint: found.endpoint, method }, caller)
  const announced = announcedKind(request)
  const early = context.gate.needsBody(id) ? undefined : await admit(announced)
  const envelope = parseCall(await readCall(request, found.maxBodyBytes), caller)
  if (envelope.warm) {
    await context.backend.warm(id, envelope)
    return answerWhole([encodeMessage(emptyMessage(FrameType.end))], context.Response)
  }
  const kind = envelope.run ? 'run' : 'call'
  const subject = early === undefined || kind !== announced ? await admit(kind, envelope.fn) : early
  if (isGone(request)) throw callerGone()
  const chained = { ...envelope, ...readChain(context, request, envelope, caller) }
  return submit(context, request, id, chained, { ...caller, subject })
}

function takesRequests({ kind }: FoundFunction): boolean {
  return kind !== undefined && isBalanced({ kind })
}

/** How many calls led to this one, and until when its answer is of use; pages know nothing of it. */
function readChain(
  { clock }: RpcContext,
  { headers }: Request,
  { timeoutMs }: CallEnvelope,
  { kind }: RpcCaller,
): Chain {
  const chain = kind === 'server' ? fromChainHeaders(headers) : {}
  return chain.hops === undefined ? {} : limitChain(chain, timeoutMs, clock.now())
}

/** What the address says the call is, so that it can be judged before its body is read; the body has the last word. */
function announcedKind({ url }: Request): 'call' | 'run' {
  return url.includes('?') && new URL(url).searchParams.has('run') ? 'run' : 'call'
}

async function submit(
  context: RpcContext,
  request: Request,
  id: string,
  envelope: CallEnvelope,
  caller: RpcCaller,
): Promise<Response> {
  const job = await context.keys.once(id, envelope, caller, (given) => context.backend.submit(id, given))
  const token = context.capability.seal({
    endpoint: job.endpoint,
    jobId: job.ref ?? job.id,
    id,
    method: envelope.fn,
    subject: caller.subject,
    expires: job.deadline,
  })
  const first = textMessage(FrameType.job, {
    token,
    id: caller.kind === 'server' ? job.id : undefined,
    deadline: job.deadline,
  })
  if (envelope.run) {
    // Calls with the same key have the same job, which is not theirs alone.
    if (envelope.idempotencyKey !== undefined) context.readers.keep(job)
    else if (isGone(request)) await dismiss(job)
    return answerWhole([first, emptyMessage(FrameType.end)].map(encodeMessage), context.Response)
  }
  return answerJob(request, job, [first], 0, context.readers.begin(job, token), context)
}

/** Nobody will ever know the token of this job. */
async function dismiss(job: RpcJob): Promise<never> {
  await job.cancel('the caller left')
  throw callerGone()
}

async function resume(context: RpcContext, request: Request, caller: RpcCaller): Promise<Response> {
  const envelope = await readJson(request, parseResume)
  const job = await openJob(context, request, 'resume', envelope, caller)
  if (envelope.only === 'status') {
    return answerWhole(
      [textMessage(FrameType.status, await job.status()), emptyMessage(FrameType.end)].map(encodeMessage),
      context.Response,
    )
  }
  return answerJob(request, job, [], envelope.from, context.readers.join(job), context)
}

async function cancel(context: RpcContext, request: Request, caller: RpcCaller): Promise<Response> {
  const envelope = await readJson(request, parseResume)
  const job = await openJob(context, request, 'cancel', envelope, caller)
  if (context.readers.giveUp(job, envelope.token)) await job.cancel('the caller cancelled')
  return answerWhole([encodeMessage(emptyMessage(FrameType.end))], context.Response)
}

async function openJob(
  context: RpcContext,
  request: Request,
  kind: 'resume' | 'cancel',
  envelope: ResumeEnvelope,
  caller: RpcCaller,
): Promise<RpcJob> {
  const claims = context.capability.open(envelope.token)
  if (!claims && caller.kind === 'server')
    return known(await context.backend.jobById(envelope.token), `job ${envelope.token.slice(0, 64)}`)
  if (!claims) throw wrongToken()
  const { id, endpoint, method, jobId } = claims
  const subject = await context.gate.admit(request, { kind, id, endpoint, method }, caller)
  if (claims.subject !== subject) throw wrongToken()
  const isOver = claims.expires + KEPT_MS < context.clock.now()
  const job = known(isOver ? null : await context.backend.job(endpoint, jobId, { id, method }), 'the job')
  // The backend may not know any more when it was submitted.
  return { ...job, deadline: claims.expires }
}

/** What nobody waits for any more is not begun. */
function callerGone(): AppError {
  return new AppError('BAD_REQUEST', { message: 'the caller left before the call was accepted' })
}

function wrongToken(): AppError {
  return new AppError('FORBIDDEN', {
    message: 'the job token is not valid for this caller',
    hint: 'use the token on the app and as the user that started the job',
  })
}

function known(job: RpcJob | null, name: string): RpcJob {
  if (job) return job
  throw new AppError('JOB_NOT_FOUND', {
    message: `${name} is not known here any more`,
    hint: 'results are kept 30 minutes, and in development until the server stops',
  })
}
