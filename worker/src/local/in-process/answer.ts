import type { JobEvent } from '@flash/emulator/queue'
import {
  AppError,
  createMessageReader,
  decodeValue,
  type Encoded,
  encodeMessage,
  errorCodes,
  FrameType,
  type JobStatus,
  type Message,
  readFailure,
  toWireError,
} from '@flash/protocol'
import { warm } from '../../execute/call.ts'
import type { LocalFunction, LocalFunctions } from './functions.ts'
import type { Envelope, Jobs } from './jobs.ts'

const headers = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }

interface Reference {
  token: string
  from?: number
  only?: 'status'
}

/** Answers a stub as a server would, frame by frame: `rpc/<id>`, `rpc/resume` and `rpc/cancel`. */
export async function answer(request: Request, functions: LocalFunctions, jobs: Jobs): Promise<Response> {
  try {
    const route = new URL(request.url).pathname.replace(/^.*\/rpc\//, '')
    const value = readBody(new Uint8Array(await request.arrayBuffer()))
    if (route === 'cancel') return cancel(jobs, value as Reference)
    if (route === 'resume') return follow(jobs, value as Reference)
    return await call(findFunction(functions, route), jobs, value as Envelope)
  } catch (error) {
    return refuse(error)
  }
}

function readBody(body: Uint8Array): unknown {
  const messages: Message[] = []
  const reader = createMessageReader((message) => messages.push(message))
  reader.push(body)
  reader.end()
  const { rich, text, parts } = messages[0]!
  return decodeValue(rich, text, parts)
}

function findFunction(functions: LocalFunctions, id: string): LocalFunction {
  const found = functions.get(id)
  if (found) return found
  throw new AppError('UNKNOWN_FUNCTION', {
    message: `no module of this test has the function ${id}`,
    hint: 'import the module that defines it',
  })
}

async function call(callee: LocalFunction, jobs: Jobs, envelope: Envelope): Promise<Response> {
  if (envelope.warm) {
    await warm(callee.worker, callee, new AbortController().signal)
    return stream((say) => say(plain(FrameType.end)))
  }
  const { id } = await jobs.submit(callee, envelope)
  const first = plain(FrameType.job, { token: id, id })
  if (!envelope.run) return follow(jobs, { token: id }, first)
  return stream((say) => {
    say(first)
    say(plain(FrameType.end))
  })
}

function cancel(jobs: Jobs, { token }: Reference): Response {
  if (!jobs.queue.cancel(token)) throw jobNotFound(token)
  return stream((say) => say(plain(FrameType.end)))
}

function follow({ queue }: Jobs, { token, from, only }: Reference, first?: Message): Response {
  const status = queue.status(token)
  if (!status) throw jobNotFound(token)
  if (only === 'status') {
    return stream((say) => {
      say(plain(FrameType.status, withoutResult(status)))
      say(plain(FrameType.end))
    })
  }
  return stream((say) => {
    if (first) say(first)
    return queue.subscribe(token, (event) => say(toMessage(event)), from)
  })
}

function jobNotFound(id: string): AppError {
  return new AppError('JOB_NOT_FOUND', {
    message: `job ${id} is not known in this test process`,
    hint: 'results are kept 30 minutes',
  })
}

function isLast({ type }: Message): boolean {
  return type === FrameType.value || type === FrameType.error || type === FrameType.end
}

/** A body that ends with the message that says so; leaving it early stops what `tell` began. */
function stream(tell: (say: (message: Message) => void) => (() => void) | undefined | void): Response {
  let stop: (() => void) | undefined | void
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      stop = tell((message) => {
        controller.enqueue(encodeMessage(message))
        if (isLast(message)) controller.close()
      })
    },
    cancel: () => stop?.(),
  })
  return new Response(body, { headers })
}

function refuse(error: unknown): Response {
  const { code, message, hint, data } = error instanceof AppError ? error : fromOther(error)
  return new Response(JSON.stringify({ code, message, hint, data }), {
    status: errorCodes[code].status,
    headers,
  })
}

function fromOther(error: unknown): AppError {
  return new AppError('INTERNAL', { message: error instanceof Error ? error.message : String(error) })
}

function plain(type: number, ...value: unknown[]): Message {
  return { type, rich: false, text: value.length > 0 ? JSON.stringify(value[0]) : '', parts: [] }
}

function toMessage(event: JobEvent): Message {
  switch (event.type) {
    case 'status':
      return plain(FrameType.status, withoutResult(event.status))
    case 'progress':
      return { type: FrameType.progress, ...(event.value as Encoded) }
    case 'item':
      return { type: FrameType.item, ...(event.item as Encoded) }
    case 'log':
      return plain(FrameType.log, event.entry)
    case 'end':
      return toLast(event.status)
  }
}

function withoutResult({ output: _output, error: _error, ...status }: JobStatus): JobStatus {
  return status
}

function toLast(status: JobStatus | undefined): Message {
  if (status?.status === 'COMPLETED') {
    return status.output ? { type: FrameType.value, ...(status.output as Encoded) } : plain(FrameType.end)
  }
  if (status?.error !== undefined) return plain(FrameType.error, readFailure(status.error))
  const code = status ? 'CANCELLED' : 'JOB_NOT_FOUND'
  const message = status ? 'the job was cancelled' : 'the time to live of the job ran out'
  return plain(FrameType.error, toWireError(new AppError(code, { message }), { stack: false }))
}
