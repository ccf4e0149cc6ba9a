import type { Readable } from 'node:stream'
import { RESULT_HEADER, type ResultKind, writeForeign } from '@flash/protocol'
import { headersToSend } from '../balanced/respond.ts'
import { PlainReply, type Reply } from '../balanced/visit.ts'
import { checkOutput } from '../execute/schema.ts'
import { toEvents } from './events.ts'

export interface ResultOptions {
  /** Of `data`, and of each item. */
  schema: unknown
  /** Runs what makes a body where the handler ran. */
  within<T>(step: () => T): T
  onError(error: unknown): void
  /** The answer is made, and its body has ended; without it nobody needs to know. */
  onEnd?(): void
}

/**
 * The answer that a handler means by what it returns: a `Response` as it is, streams and bytes as the body, an iterable as
 * server-sent events, and all else as JSON.
 *
 * - throws `OUTPUT_INVALID`, `OUTPUT_NOT_JSON`; then nothing has ended yet.
 */
export async function toReply(result: unknown, options: ResultOptions): Promise<Reply> {
  if (result instanceof Response) return withBody(result, options)
  if (result instanceof ReadableStream) return toBytes(watch(result, options), BYTES)
  if (isNodeStream(result)) return toBytes(watch(toWeb(result), options), BYTES)
  if (isStream(result)) return toItems(result, options)
  const reply = rawOf(result) ?? (await toData(result, options))
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
  return new Response(body, { headers: { 'content-type': type } })
}

async function toData(result: unknown, { schema }: ResultOptions): Promise<PlainReply> {
  const value = schema === undefined ? result : await checkOutput(schema, result)
  if (value === undefined) return new PlainReply(204, headersOf('data'), null)
  return new PlainReply(200, headersOf('data', 'application/json'), await toText(value))
}

function toItems(items: AsyncIterable<unknown> | Iterable<unknown>, options: ResultOptions): Response {
  const { schema } = options
  const body = toEvents(items, {
    ...options,
    toText: async (item) => toText(schema === undefined ? item : await checkOutput(schema, item)),
  })
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
  const plain = writeForeign(value)
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
  if (!options.onEnd) return response
  if (!body || body.locked) {
    options.onEnd()
    return response
  }
  return new Response(watch(body, options), { status, statusText, headers: headersToSend(response) })
}

/** The same stream, pulled where the handler ran, and with an end that is told. */
function watch(body: ReadableStream, { within, onEnd }: ResultOptions): ReadableStream {
  const reader = body.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await within(() => reader.read())
          if (!done) return controller.enqueue(value)
          onEnd?.()
          controller.close()
        } catch (error) {
          onEnd?.()
          throw error
        }
      },
      async cancel(reason) {
        await within(() => reader.cancel(reason)).finally(onEnd)
      },
    },
    { highWaterMark: 0 },
  )
}
