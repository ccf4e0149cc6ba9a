import { AppError } from '@flash/protocol'
import type { BodyOptions } from './types.ts'

/** A body as `fetch` takes it; `size` is unknown of what is only known when it is sent. */
export interface SentBody {
  body: BodyInit | undefined
  contentType?: string
  size?: number
}

/** The platform's limit of a request to a load-balanced endpoint. */
const limitBytes = 30_000_000

/** Text, bytes, forms and streams as they are, everything else as JSON; throws `PAYLOAD_TOO_LARGE`, `CANNOT_CARRY`. */
export function toBody({ body }: Pick<BodyOptions, 'body'>): SentBody {
  const sent = body === undefined ? { body: undefined } : (toRaw(body) ?? toJson(body))
  const { size = 0 } = sent
  if (size <= limitBytes) return sent
  throw new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body has ${size} bytes, a load-balanced endpoint takes ${limitBytes}`,
    hint: 'send it in parts, or put large data in a volume or a bucket and send where it is',
    data: { size, limit: limitBytes },
  })
}

function toRaw(body: unknown): SentBody | undefined {
  if (typeof body === 'string') return { body, size: new TextEncoder().encode(body).length }
  if (ArrayBuffer.isView(body)) return { body: body as Uint8Array<ArrayBuffer>, size: body.byteLength }
  if (body instanceof ArrayBuffer) return { body, size: body.byteLength }
  if (body instanceof Blob) return { body, size: body.size }
  const isRaw = [FormData, URLSearchParams, ReadableStream].some((kind) => body instanceof kind)
  return isRaw ? { body: body as BodyInit } : undefined
}

function toJson(value: unknown): SentBody {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw cannotCarry(`the body cannot be written as JSON: ${(cause as Error).message}`, cause)
  }
  if (text === undefined) throw cannotCarry(`the body is a ${typeof value}, which JSON cannot say`)
  const body = new TextEncoder().encode(text)
  return { body, contentType: 'application/json', size: body.length }
}

function cannotCarry(message: string, cause?: unknown): AppError {
  return new AppError('CANNOT_CARRY', { message, hint: 'send plain data, text, bytes or a form', cause })
}
