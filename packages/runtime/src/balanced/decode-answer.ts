import type { Readable as NodeReadable } from 'node:stream'
import { type Coding, findCodingError, findCodings } from './codings.ts'

type Zlib = typeof import('node:zlib')
type Stream = typeof import('node:stream')
type Stage = NodeJS.ReadWriteStream | ((source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>)

/**
 * An answer that came without `fetch`, as `fetch` gives it: the body is decoded as it is read, no faster, and nothing says that
 * it was encoded.
 *
 * - reading a body that is not what its header says throws `TRANSPORT`, else what reading it as it is throws.
 */
export function decodeAnswer(response: Response): Response {
  const { body, status, statusText } = response
  const codings = body ? findCodings(response.headers) : []
  if (!body || codings.length === 0) return response
  const headers = new Headers(response.headers)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new Response(decode(body, codings), { status, statusText, headers })
}

function decode(
  body: ReadableStream<Uint8Array>,
  codings: Coding[],
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const zlib = process.getBuiltinModule('node:zlib')
  const stream = process.getBuiltinModule('node:stream')
  const stages = codings.toReversed().map((coding) => toStage(coding, zlib, stream))
  const source = stream.Readable.fromWeb(body as never)
  const decoded = stream.pipeline([source, ...stages] as never, () => {}) as unknown as NodeReadable
  const chunks = decoded[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next()
          if (done) controller.close()
          else controller.enqueue(new Uint8Array(value))
        } catch (error) {
          throw findCodingError(error) ?? error
        }
      },
      cancel() {
        // The end of what is decoded does not reach a stage that waits for its first byte.
        source.destroy()
        decoded.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Each gives what it has as soon as it has it, and minds no end that is cut, as `fetch`. */
function toStage(coding: Coding, zlib: Zlib, stream: Stream): Stage {
  const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH, ZSTD_e_flush } = zlib.constants
  const how = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH }
  switch (coding) {
    case 'gzip':
      return zlib.createGunzip(how)
    case 'br':
      return zlib.createBrotliDecompress({
        flush: BROTLI_OPERATION_FLUSH,
        finishFlush: BROTLI_OPERATION_FLUSH,
      })
    case 'zstd':
      return zlib.createZstdDecompress({ flush: ZSTD_e_flush, finishFlush: ZSTD_e_flush })
    case 'deflate':
      return async function* inflate(source) {
        const [first, all] = await peek(source)
        // Many leave out the head that the name demands.
        const hasHead = first === undefined || (first & 0x0f) === 8
        const inflater = hasHead ? zlib.createInflate(how) : zlib.createInflateRaw(how)
        yield* stream.pipeline(all, inflater, () => {})
      }
  }
}

async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<[first: number | undefined, all: AsyncIterable<Uint8Array>]> {
  const chunks = source[Symbol.asyncIterator]()
  let step = await chunks.next()
  while (!step.done && step.value.length === 0) step = await chunks.next()
  const all = async function* () {
    try {
      for (; !step.done; step = await chunks.next()) yield step.value
    } finally {
      await chunks.return?.()
    }
  }
  return [step.done ? undefined : step.value[0], all()]
}
