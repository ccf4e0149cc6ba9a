import { AppError } from '@flash/protocol'
import type { Visit } from '../balanced/visit.ts'
import { checkPart, type RequestPart } from '../execute/schema.ts'
import { readFields, toFields } from './parts.ts'

/**
 * The body of a request as a handler gets it, by its content type, when somebody wants it: JSON, a form and plain text always,
 * multipart only for a schema, so that uploads can be read as they come. What is not read is `undefined`, and stays in the request.
 *
 * - throws `BAD_REQUEST` for what is not of its type, `UNSUPPORTED_TYPE` for text of an unknown charset, `PAYLOAD_TOO_LARGE`.
 */
export function readBody(visit: Visit, hasSchema = false): unknown {
  const type = (visit.hasBody && visit.header('content-type')) || ''
  const reader = findReader(type, hasSchema)
  return reader && visit.read().then((bytes) => (bytes.byteLength > 0 ? reader(bytes, type) : undefined))
}

/** The same as a schema wants it; throws `BAD_INPUT` too. */
export async function readCheckedBody(
  visit: Visit,
  schema: unknown,
  onUntold: (part: RequestPart) => void,
): Promise<unknown> {
  const given = await readBody(visit, true)
  return given instanceof FormData
    ? readFields('body', toFields(given as Iterable<[string, unknown]>), schema, onUntold)
    : checkPart(schema, given, 'body')
}

type Reader = (bytes: Uint8Array<ArrayBuffer>, type: string) => unknown

function findReader(header: string, hasSchema: boolean): Reader | undefined {
  const type = /^[^;\s]*/.exec(header)![0].toLowerCase()
  if (/^application\/(?:[\w.+-]+\+)?json$/.test(type)) return readJson
  if (type === 'application/x-www-form-urlencoded') return readForm
  if (type === 'multipart/form-data') return hasSchema ? readForm : undefined
  return type === 'text/plain' || (hasSchema && type.startsWith('text/')) ? readText : undefined
}

/** By its charset, UTF-8 when it says none. */
function readText(bytes: Uint8Array<ArrayBuffer>, type: string): string {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type) ?? []
  return /^utf-?8$/i.test(charset) ? toText(bytes) : createDecoder(charset).decode(bytes)
}

function createDecoder(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset)
  } catch (cause) {
    throw new AppError('UNSUPPORTED_TYPE', {
      message: `the body has the charset ${JSON.stringify(charset.slice(0, 64))}, which is not known here`,
      hint: 'send text as utf-8',
      cause,
    })
  }
}

function toText({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  const text = Buffer.from(buffer, byteOffset, byteLength).toString()
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function readJson(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(toText(bytes))
  } catch (cause) {
    throw unreadable('the body is not JSON', cause)
  }
}

async function readForm(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch (cause) {
    throw unreadable('the body is no form of its content type', cause)
  }
}

function unreadable(message: string, cause: unknown): AppError {
  return new AppError('BAD_REQUEST', { message, hint: 'send what the header content-type says', cause })
}
