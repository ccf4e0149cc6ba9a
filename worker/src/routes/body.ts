import { AppError } from '@flash/protocol'
import type { Visit } from '../balanced/visit.ts'
import { checkPart, type RequestPart } from '../execute/schema.ts'
import { readFields, toFields } from './parts.ts'

/**
 * The body of a request as a handler gets it, by its content type, when somebody wants it: JSON, a form and plain text always,
 * multipart only for a schema, so that uploads can be read as they come. What is not read is `undefined`, and stays in the request.
 *
 * - throws `BAD_REQUEST` for what is not of its type, `BAD_INPUT`, `PAYLOAD_TOO_LARGE`.
 */
export async function readBody(
  visit: Visit,
  schema: unknown,
  onUntold: (part: RequestPart) => void,
): Promise<unknown> {
  const type = (visit.hasBody && visit.header('content-type')) || ''
  const reader = findReader(type, schema !== undefined)
  const bytes = reader && (await visit.read())
  const given = bytes?.byteLength ? await reader!(bytes, type) : undefined
  if (schema === undefined) return given
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
  return type === 'text/plain' || (hasSchema && type.startsWith('text/')) ? toText : undefined
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
