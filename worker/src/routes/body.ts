import { AppError } from '@flash/protocol'
import { checkPart, type RequestPart } from '../execute/schema.ts'
import { readFields, toFields } from './parts.ts'

/** The body of a request as a handler gets it, and a request that can still be read. */
export interface ReadBody {
  body: unknown
  request(): Request
}

/**
 * Reads a body by its content type, when somebody wants it: JSON, a form and plain text always, multipart only for a schema, so
 * that uploads can be read as they come. What is not read is `undefined`, and stays in the request.
 *
 * - throws `BAD_REQUEST` for what is not of its type, `BAD_INPUT`, `PAYLOAD_TOO_LARGE`.
 */
export async function readBody(
  request: Request,
  schema: unknown,
  onUntold: (part: RequestPart) => void,
): Promise<ReadBody> {
  const reader = request.body && findReader(request.headers, schema !== undefined)
  const bytes = reader ? await request.arrayBuffer() : undefined
  const init = { body: bytes }
  // Made for those who ask: most handlers have all they want by now.
  const again = () => (bytes ? new Request(request, init) : request)
  const given = reader && bytes?.byteLength ? await reader(bytes, again) : undefined
  if (schema === undefined) return { body: given, request: again }
  const body =
    given instanceof FormData
      ? await readFields('body', toFields(given as Iterable<[string, unknown]>), schema, onUntold)
      : await checkPart(schema, given, 'body')
  return { body, request: again }
}

type Reader = (bytes: ArrayBuffer, again: () => Request) => unknown

function findReader(headers: Headers, hasSchema: boolean): Reader | undefined {
  const type = /^[^;\s]*/.exec(headers.get('content-type') ?? '')![0].toLowerCase()
  if (/^application\/(?:[\w.+-]+\+)?json$/.test(type)) return readJson
  if (type === 'application/x-www-form-urlencoded') return readForm
  if (type === 'multipart/form-data') return hasSchema ? readForm : undefined
  return type === 'text/plain' || (hasSchema && type.startsWith('text/')) ? toText : undefined
}

function toText(bytes: ArrayBuffer): string {
  return new TextDecoder().decode(bytes)
}

function readJson(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(toText(bytes))
  } catch (cause) {
    throw unreadable('the body is not JSON', cause)
  }
}

async function readForm(_: ArrayBuffer, again: () => Request): Promise<FormData> {
  try {
    return await again().formData()
  } catch (cause) {
    throw unreadable('the body is no form of its content type', cause)
  }
}

function unreadable(message: string, cause: unknown): AppError {
  return new AppError('BAD_REQUEST', { message, hint: 'send what the header content-type says', cause })
}
