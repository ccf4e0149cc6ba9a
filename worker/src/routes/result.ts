import type { Readable } from 'node:stream'
import { RESULT_HEADER, type ResultKind, writeRouteResult } from '@flash/protocol'
import { headersToSend } from '../balanced/respond.ts'
import { PlainReply, type Reply } from '../balanced/visit.ts'
import { checkOutput } from '../execute/schema.ts'
import { toEvents } from './events.ts'
import { toOwn } from './own.ts'

export interface ResultOptions {
  /** Of `data`, and of each item. */
  schema: unknown
  /** Runs what makes a body where the handler ran. */
  within<T>(step: () => T): T
  onError(error: unknown): void
  /** The answer is made, and its body has ended; without it nobody needs to know. */
  readonly onEnd?: (() => void) | undefined
}

/**
 * The answer that a handler means by what it returns: a `Response` as it is, streams and bytes as the body, an iterable as
 * server-sent events, and all else as JSON.
 *
 * - throws `OUTPUT_INVALID`, `OUTPUT_NOT_JSON`; then nothing has ended yet.
 */
export function toReply(result: unknown, options: ResultOptions): Reply | Promise<Reply> {
  if (result instanceof Response) return withBody(result, options)
  if (result instanceof ReadableStream) return toBytes(watch(result, options), BYTES)
  if (isNodeStream(result)) return toBytes(watch(toWeb(result), options), BYTES)
  if (isStream(result)) return toItems(result, options)
  const reply = rawOf(result) ?? toData(result, options)
  if (reply instanceof Promise) return reply.then((made) => ended(made, options))
  return ended(reply, options)
}

function ended(reply: Reply, options: ResultOptions): Reply {
  options.onEnd?.()
  return reply
}

const BYTES = 'application/octet-stream'

/** The form that what a handler returned has as a body; nothing for data. */
function rawOf(result: unknown): Response | undefined {
  if (result instanceof Blob) return toBytes(result, result.type || BYTES)
  const isBytes = ArrayBuffer.isView(result) || result instanceof ArrayBuffer
  return isBytes ? toBytes(result as Uint8Array<ArrayBuffer>, BYTES) : undefined
}

function toBytes(body: BodyInit, type: string): Response {
  return new Response(body, { headers: headersOf('response', type) })
}

function toData(result: unknown, { schema }: ResultOptions): PlainReply | Promise<PlainReply> {
  return schema === undefined ? toPlain(result) : checkOutput(schema, result).then(toPlain)
}

/** At once for what holds no files, as most data: a promise in between costs more than making the text. */
function toPlain(value: unknown): PlainReply | Promise<PlainReply> {
  if (value === undefined) return new PlainReply(204, headersOf('data'), null)
  const text = toText(value)
  return text instanceof Promise ? text.then(ofText) : ofText(text)
}

function ofText(text: string): PlainReply {
  return new PlainReply(200, headersOf('data', 'application/json'), text)
}

function toItems(items: AsyncIterable<unknown> | Iterable<unknown>, options: ResultOptions): Response {
  const { schema } = options
  const itemText = async (item: unknown) =>
    toText(schema === undefined ? item : await checkOutput(schema, item))
  const body = toEvents(items, itemText, options)
  const headers = headersOf('items', 'text/event-stream')
  // Some proxies keep events back until there are many.
  return new Response(body, {
    headers: { ...headers, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
  })
}

function headersOf(kind: ResultKind, type?: string): Record<string, string> {
  return type === undefined ? { [RESULT_HEADER]: kind } : { [RESULT_HEADER]: kind, 'content-type': type }
}

function toText(value: unknown): string | Promise<string> {
  const plain = writeRouteResult(value)
  return plain instanceof Promise ? plain.then((made) => JSON.stringify(made)) : JSON.stringify(plain)
}

/** Asynchronous iterables of every kind, and generators; other iterables (arrays, maps) are data. */
function isStream(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Object.prototype.toString.call(value) === '[object Generator]'
}

function isNodeStream(value: unknown): value is Readable {
  return isStream(value) && typeof (value as Partial<Readable>).pipe === 'function'
}

function toWeb(stream: Readable): ReadableStream {
  return process.getBuiltinModule('node:stream').Readable.toWeb(stream) as ReadableStream
}

function withBody(response: Response, options: ResultOptions): Response {
  const { body, status, statusText } = response
  if (!options.onEnd) return toOwn(response)
  if (!body || body.locked) {
    options.onEnd()
    return toOwn(response)
  }
  return toOwn(new Response(watch(body, options), { status, statusText, headers: headersToSend(response) }))
}

/** The same stream, pulled where the handler ran, and with an end that is told. */
function watch(body: ReadableStream, options: ResultOptions): ReadableStream {
  const { onEnd } = options
  const reader = body.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await options.within(() => reader.read())
          if (!done) return controller.enqueue(value)
          onEnd?.()
          controller.close()
        } catch (error) {
          onEnd?.()
          throw error
        }
      },
      async cancel(reason) {
        await options.within(() => reader.cancel(reason)).finally(onEnd)
      },
    },
    { highWaterMark: 0 },
  )
}
