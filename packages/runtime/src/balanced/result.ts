import { RemoteError, RESULT_HEADER, type ResultKind } from '@flash/protocol'
import { connectionLost } from '../failure.ts'
import type { Guard } from '../guard.ts'
import { pullGenerator } from '../pull.ts'
import { createEventReader } from './events.ts'
import { notOfWorker, withoutMark } from './own.ts'
import { watchBody } from './watch-body.ts'

/** What a caller is told of an error. */
type ToOwn = (error: unknown) => unknown

/** What a route's answer is to its caller; throws what the route threw, `TRANSPORT`, `BAD_RESULT` and `CONNECTION_LOST`. */
export async function readResult(response: Response, guard: Guard, toOwn: ToOwn): Promise<unknown> {
  switch (response.headers.get(RESULT_HEADER) as ResultKind | null) {
    case 'data':
      return parse(await readText(response, guard))
    case 'items':
      return readItems(response, guard, toOwn)
    case 'error':
      throw toError(await readText(response, guard))
    case 'response':
      return toResponse(response, guard)
    case null:
      throw notOfWorker(response)
    default:
      throw badResult('its kind is unknown')
  }
}

/** Nothing is no value. */
function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch (cause) {
    throw badResult('it is no JSON', cause)
  }
}

function toError(text: string): RemoteError {
  const { code, message, hint, data } = Object(parse(text))
  return typeof code === 'string' && typeof message === 'string'
    ? new RemoteError(code, message, { hint, data })
    : badResult('it is an error without code and message')
}

/** Through a reader, since some browsers say of a body's failure only that it failed. */
async function readText({ body }: Response, guard: Guard): Promise<string> {
  const decoder = new TextDecoder()
  const { next } = openBody(body, guard)
  let text = ''
  for (let chunk = await next(); chunk; chunk = await next()) text += decoder.decode(chunk, { stream: true })
  guard.end()
  return text + decoder.decode()
}

interface OpenBody {
  /** The next bytes; nothing at the end. */
  next(): Promise<Uint8Array | undefined>
  leave(): void
}

function openBody(body: ReadableStream<Uint8Array> | null, guard: Guard): OpenBody {
  const reader = body?.getReader()
  const leave = () => void reader?.cancel().catch(() => {})
  return {
    leave,
    async next() {
      try {
        return reader && (await guard.race(reader.read())).value
      } catch (error) {
        leave()
        guard.check()
        throw connectionLost(error)
      }
    },
  }
}

function readItems({ body }: Response, guard: Guard, toOwn: ToOwn): AsyncGenerator<unknown, void> {
  guard.untime()
  const inbox = createInbox()
  const { next, leave } = openBody(body, guard)
  const stop = (reason: unknown) => {
    guard.stop(reason)
    leave()
  }
  const pull = async () => {
    for (;;) {
      const item = inbox.take()
      if (item) return item
      guard.check()
      const chunk = await next()
      if (chunk) inbox.push(chunk)
      else return inbox.end()
    }
  }
  return pullGenerator({
    async next() {
      try {
        const item = await pull()
        if (!item) guard.end()
        return item
      } catch (error) {
        stop(error)
        throw toOwn(error)
      }
    },
    abandon: () => stop(new DOMException('the items are not wanted any more', 'AbortError')),
  })
}

/** Values of an event stream that are here and not asked for yet; what came before a failure is as good as without it. */
function createInbox() {
  const waiting: { value: unknown }[] = []
  let failure: { error: unknown } | undefined
  const guarded = (work: () => void) => {
    try {
      if (!failure) work()
    } catch (error) {
      failure = { error }
    }
  }
  const events = createEventReader(({ type, data }) =>
    guarded(() => {
      if (type === 'error') throw toError(data)
      if (type === '' || type === 'message') waiting.push({ value: parse(data) })
    }),
  )
  return {
    push: (chunk: Uint8Array) => guarded(() => events.push(chunk)),
    take() {
      if (waiting.length === 0 && failure) throw failure.error
      return waiting.shift()
    },
    end(): undefined {
      if (!events.end()) throw connectionLost()
    },
  }
}

/** The answer itself; the caller's signal ends it as long as it is read. */
function toResponse(response: Response, guard: Guard): Response {
  guard.untime()
  if (!response.body) {
    guard.end()
    return withoutMark(response)
  }
  const body = watchBody(response.body, {
    onEnd: guard.end,
    toError(cause) {
      guard.check()
      return cause
    },
  })
  return withoutMark(response, body)
}

function badResult(why: string, cause?: unknown): RemoteError {
  return new RemoteError('BAD_RESULT', `the answer of the route cannot be read: ${why}`, {
    hint: 'build both sides with one version',
    cause,
  })
}
