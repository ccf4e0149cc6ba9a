import {
  AppError,
  type Clock,
  createMessageReader,
  decodeValue,
  encodeMessage,
  FrameType,
  type Message,
  systemClock,
} from '@flash/protocol'
import { answerJob, answerWhole } from './answer.ts'
import type { RpcBackend, RpcJob } from './backend.ts'
import { readChunks } from './body.ts'
import type { Capability } from './capability.ts'
import { createReaders, type Readers } from './readers.ts'
import { MARKER, problemBody, problemHeaders, toProblem } from './problem.ts'
import { parseCall, parseResume, type ResumeEnvelope, type RpcCaller } from './envelope.ts'

export interface RpcOptions {
  capability: Capability
  backend: RpcBackend
  clock?: Clock
  graceMs?: number
  keepAliveMs?: number
  /** How long a call may be without a reader before it is cancelled. */
  orphanMs?: number
  Response?: typeof Response
  /** Told about errors that are not the caller's. */
  onInternal?: (error: unknown) => void
}

interface RpcContext extends Required<Omit<RpcOptions, 'onInternal'>> {
  readers: Readers
}

export type RpcHandler = (request: Request, path: string, caller: RpcCaller) => Promise<Response>

/**
 * The route below `{prefix}/rpc/`: `{id}.{tag}`, `resume` and `cancel`.
 *
 * - before a call is accepted: problem JSON with our marker header; afterwards a stream of frames.
 * - `path`: what follows `rpc/` in the URL.
 *
 * The host has checked the origin of the request already.
 */
export function createRpcHandler(options: RpcOptions): RpcHandler {
  const clock = options.clock ?? systemClock
  const context: RpcContext = {
    graceMs: 20,
    keepAliveMs: 15_000,
    orphanMs: 30_000,
    Response: globalThis.Response,
    ...options,
    clock,
    readers: createReaders(clock, options.orphanMs ?? 30_000),
  }
  return async (request, path, caller) => {
    try {
      checkRequest(request)
      if (path === 'resume') return await resume(context, request, caller)
      if (path === 'cancel') return await cancel(context, request, caller)
      return await call(context, request, path, caller)
    } catch (error) {
      if (!(error instanceof AppError)) options.onInternal?.(error)
      const known =
        error instanceof AppError
          ? error
          : new AppError('INTERNAL', { message: 'the call could not be handled', cause: error })
      const problem = toProblem(known)
      return new context.Response(problemBody(problem), { status: problem.status, headers: problemHeaders })
    }
  }
}

function checkRequest(request: Request): void {
  if (request.method !== 'POST') {
    throw new AppError('METHOD_NOT_ALLOWED', {
      message: `${request.method} is not allowed here`,
      hint: 'calls are POST requests',
    })
  }
  const type = request.headers.get('content-type')
  if (!type?.startsWith('application/x-flash')) {
    throw new AppError('UNSUPPORTED_TYPE', {
      message: `content type "${type ?? ''}" is not application/x-flash`,
      hint: 'call the function through its stub',
    })
  }
  if (!/;\s*v=1\b/.test(type)) {
    throw new AppError('SKEW', {
      message: `the page speaks "${type}", this server speaks version 1`,
      hint: 'reload the page',
    })
  }
  if (request.headers.get(MARKER) !== '1') {
    throw new AppError('BAD_REQUEST', {
      message: `the header ${MARKER} is missing`,
      hint: 'call the function through its stub',
    })
  }
}

async function call(
  context: RpcContext,
  request: Request,
  path: string,
  caller: RpcCaller,
): Promise<Response> {
  const id = checkCapability(context, path, caller)
  const found = await context.backend.find(id)
  if (!found) throw unknownFunction(id)
  const message = await readCall(request, found.maxBodyBytes)
  const envelope = parseCall(decodeValue(message.rich, message.text, message.parts), caller)
  if (envelope.warm) {
    await context.backend.warm(id, envelope)
    return answerWhole([encodeMessage(empty(FrameType.end))], context.Response)
  }
  const job = await context.backend.submit(id, envelope)
  const token = context.capability.seal({
    endpoint: job.endpoint,
    jobId: job.id,
    subject: caller.subject,
    expires: job.deadline,
  })
  const first = textMessage(FrameType.job, {
    token,
    id: caller.kind === 'server' ? job.id : undefined,
    deadline: job.deadline,
  })
  if (envelope.run) return answerWhole([first, empty(FrameType.end)].map(encodeMessage), context.Response)
  return answerJob(request, job, [first], 0, context.readers.begin(job), context)
}

async function resume(context: RpcContext, request: Request, caller: RpcCaller): Promise<Response> {
  const envelope = await readJson(request, parseResume)
  const job = openJob(context, envelope, caller)
  if (envelope.only === 'status') {
    return answerWhole(
      [textMessage(FrameType.status, job.status()), empty(FrameType.end)].map(encodeMessage),
      context.Response,
    )
  }
  return answerJob(request, job, [], envelope.from, context.readers.join(job), context)
}

async function cancel(context: RpcContext, request: Request, caller: RpcCaller): Promise<Response> {
  const job = openJob(context, await readJson(request, parseResume), caller)
  context.readers.forget(job)
  job.cancel('the caller cancelled')
  return answerWhole([encodeMessage(empty(FrameType.end))], context.Response)
}

function checkCapability(context: RpcContext, path: string, caller: RpcCaller): string {
  const [id = '', tag] = path.split('.', 2)
  if (caller.kind === 'server' && tag === undefined) return id
  if (tag !== undefined && id.length <= 64 && context.capability.matches(id, tag)) return id
  throw new AppError('SKEW', {
    message: 'the page was built with another project key, or for another version of this app',
    hint: 'reload the page; in production give build and server the same FLASH_KEY',
  })
}

function openJob(context: RpcContext, envelope: ResumeEnvelope, caller: RpcCaller): RpcJob {
  const claims = context.capability.open(envelope.token)
  const bare = caller.kind === 'server' && !claims
  if (!bare && claims?.subject !== caller.subject) {
    throw new AppError('FORBIDDEN', {
      message: 'the job token is not valid for this caller',
      hint: 'use the token on the app and as the user that started the job',
    })
  }
  const job = claims
    ? context.backend.job(claims.endpoint, claims.jobId)
    : context.backend.jobById(envelope.token)
  if (job) return job
  throw new AppError('JOB_NOT_FOUND', {
    message: `job ${(claims?.jobId ?? envelope.token).slice(0, 64)} is not known here any more`,
    hint: 'results are kept 30 minutes, and in development until the server stops',
  })
}

async function readCall(request: Request, limitBytes: number): Promise<Message> {
  const chunks = await readChunks(request, limitBytes)
  let message: Message | undefined
  const reader = createMessageReader(
    (next) => {
      if (message) throw new AppError('BAD_FRAMES', { message: 'the body holds more than one message' })
      message = next
    },
    { bytes: limitBytes },
  )
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  if (message?.type !== FrameType.call)
    throw new AppError('BAD_FRAMES', { message: 'the body holds no call message' })
  return message
}

async function readJson<T>(request: Request, parse: (value: unknown) => T): Promise<T> {
  const message = await readCall(request, 64 * 1024)
  return parse(decodeValue(message.rich, message.text, message.parts))
}

function unknownFunction(id: string): AppError {
  return new AppError('UNKNOWN_FUNCTION', {
    message: `no function has the id ${id.slice(0, 32)}`,
    hint: 'reload the page: the function was renamed, moved or removed since it was loaded',
  })
}

function textMessage(type: number, value: unknown): Message {
  return { type, rich: false, text: JSON.stringify(value), parts: [] }
}

function empty(type: number): Message {
  return { type, rich: false, text: '', parts: [] }
}
