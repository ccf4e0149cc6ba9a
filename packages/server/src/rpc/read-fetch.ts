import { AppError, createMessageReader, FrameType, type Message } from '@flash/protocol'
import { readEach } from '../body.ts'
import { ENVELOPE_BYTES, type FetchEnvelope, parseFetch } from './fetch-envelope.ts'

/** A request of a stub, and what was made of it before its body was read. */
export interface ReadFetch<T> {
  envelope: FetchEnvelope
  body: Uint8Array<ArrayBuffer> | null
  judged: T
}

/**
 * Reads the message of a request. Its body is not read before `judge` has said that the rest may come.
 *
 * - throws what `judge` throws, `BAD_FRAMES`, `BAD_REQUEST` and `PAYLOAD_TOO_LARGE`.
 */
export async function readFetch<T>(
  request: Request,
  limitBytes: number,
  judge: (envelope: FetchEnvelope) => Promise<T>,
): Promise<ReadFetch<T>> {
  let begun: FetchEnvelope | undefined
  let judged: { value: T } | undefined
  let message: Message | undefined
  const reader = createMessageReader(
    (next) => (message = next),
    { bytes: limitBytes },
    (next, partCount) => {
      if (begun) throw new AppError('BAD_FRAMES', { message: 'the body holds more than one message' })
      if (next.type !== FrameType.call) throw noMessage()
      begun = parseFetch(next, partCount)
    },
  )
  let size = 0
  const judgeOnce = async (envelope: FetchEnvelope) => {
    judged = { value: await judge(envelope) }
  }
  await readEach(request, limitBytes, (chunk) => {
    const isFirst = !begun
    reader.push(chunk)
    size += chunk.length
    if (isFirst && begun) return judgeOnce(begun)
    if (!begun && size > ENVELOPE_BYTES) {
      throw new AppError('BAD_REQUEST', {
        message: 'the request is not of a usable size',
        hint: 'call the endpoint through its stub',
      })
    }
  })
  reader.end()
  if (!begun || !judged || !message) throw noMessage()
  const body = (message.parts[0] as Uint8Array<ArrayBuffer> | undefined) ?? null
  return { envelope: begun, judged: judged.value, body }
}

function noMessage(): AppError {
  return new AppError('BAD_FRAMES', { message: 'the body holds no call message' })
}
