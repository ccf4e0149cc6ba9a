import { AppError } from '@flash/protocol'

/** Of a control request; artifacts go another way. */
const LIMIT_BYTES = 20_000_000

/** Deeper values serve nobody, and some programs break on them. */
const LIMIT_DEPTH = 64

/**
 * The JSON value of a body, counted while it arrives.
 *
 * - throws `PAYLOAD_TOO_LARGE` over 20 MB, `BAD_REQUEST` for what is no JSON, or nested more than 64 deep.
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readLimited(request)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new AppError('BAD_REQUEST', { message: 'the body is no JSON', hint: 'send JSON in UTF-8', cause })
  }
  if (isDeeper(value, LIMIT_DEPTH))
    throw new AppError('BAD_REQUEST', { message: `the body is nested more than ${LIMIT_DEPTH} deep` })
  return value
}

export async function readLimited(request: Request, limitBytes = LIMIT_BYTES): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length
      if (size > limitBytes) throw tooLarge(limitBytes)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('BAD_REQUEST', { message: 'the body broke before it had arrived as a whole', cause })
  }
  return Buffer.concat(chunks)
}

/** Whether a JSON value has more levels of lists and objects than that; takes no stack. */
function isDeeper(value: unknown, limit: number): boolean {
  const waiting: [unknown, number][] = [[value, 0]]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [current, depth] = next
    if (typeof current !== 'object' || current === null) continue
    if (depth >= limit) return true
    for (const child of Object.values(current)) waiting.push([child, depth + 1])
  }
  return false
}

function tooLarge(limitBytes: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body has more than the ${limitBytes} bytes that are allowed`,
    hint: 'send less at a time',
  })
}
