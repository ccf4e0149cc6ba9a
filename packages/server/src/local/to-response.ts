import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import { AppError } from '@flash/protocol'

const withoutBody = new Set([204, 205, 304])

/**
 * An answer of a worker, read as it comes.
 *
 * - throws `PAYLOAD_TOO_LARGE` with both sizes for one that says it has more; reading one that does throws it.
 */
export function toResponse(
  answer: IncomingMessage,
  { method }: { method: string },
  limitBytes: number,
): Response {
  const headers = new Headers()
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
    headers.append(answer.rawHeaders[at]!, answer.rawHeaders[at + 1]!)
  const status = answer.statusCode!
  const init = { status, statusText: answer.statusMessage, headers }
  if (method === 'HEAD' || withoutBody.has(status)) {
    answer.resume()
    return new Response(null, init)
  }
  const declared = Number(answer.headers['content-length'] ?? 0)
  if (declared > limitBytes) {
    answer.destroy()
    throw tooLarge(declared, limitBytes)
  }
  return new Response(toBody(answer, limitBytes), init)
}

function toBody(answer: IncomingMessage, limitBytes: number): ReadableStream<Uint8Array> {
  let size = 0
  let isOpen = true
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (error?: Error | null) => {
          if (!isOpen) return
          isOpen = false
          if (error) controller.error(error)
          else controller.close()
        }
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > limitBytes) return void answer.destroy(tooLarge(size, limitBytes))
          if (!isOpen) return
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
          if (controller.desiredSize! <= 0) answer.pause()
        })
        answer.pause()
        finished(answer, end)
      },
      pull: () => void answer.resume(),
      cancel() {
        isOpen = false
        answer.destroy()
      },
    },
    { highWaterMark: 1 },
  )
}

function tooLarge(size: number, limit: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the answer has ${size} bytes or more, ${limit} are allowed`,
    hint: 'answer with less at a time, or put large data in a volume and answer with where it is',
    data: { size, limit },
  })
}
