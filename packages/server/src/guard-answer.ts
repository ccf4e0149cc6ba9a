import { errorCodes, RESULT_HEADER, type WireError } from '@flash/protocol'
import { guardEvents } from './guard-events.ts'
import type { ErrorFilter } from './redact-error.ts'

/** No error is longer that was meant for a browser. */
const errorBytes = 1_048_576

/**
 * The answer of a load-balanced endpoint as browsers may see it: of what a route threw, at once or after some items, only
 * what is meant for them. What a route or a web app answers by itself is its author's business.
 */
export async function guardAnswer(response: Response, errors: ErrorFilter): Promise<Response> {
  const kind = response.headers.get(RESULT_HEADER)
  // Without a body, as to HEAD, there is nothing to tell.
  if (!response.body) return response
  if (kind === 'items') return guardItems(response, response.body, errors)
  return kind === 'error' ? guardError(response, response.body, errors) : response
}

async function guardError(
  { status }: Response,
  body: ReadableStream<Uint8Array>,
  errors: ErrorFilter,
): Promise<Response> {
  const wire = readError(await readText(body))
  const shown = errors.thrown(wire)
  const isHidden = shown.code !== wire.code
  return Response.json(toBody(shown), {
    status: isHidden ? errorCodes.INTERNAL.status : status,
    headers: { [RESULT_HEADER]: 'error' },
  })
}

function guardItems(
  { status, statusText, headers: given }: Response,
  body: ReadableStream<Uint8Array>,
  errors: ErrorFilter,
): Response {
  const toShown = (data: string) => JSON.stringify(toBody(errors.thrown(readError(data))))
  const headers = new Headers(given)
  headers.delete('content-length')
  const shown = guardEvents(body, { limitBytes: errorBytes, toShown }) as ReadableStream<
    Uint8Array<ArrayBuffer>
  >
  return new Response(shown, { status, statusText, headers })
}

function toBody({ code, message, hint, data }: WireError) {
  return { code, message, hint, data }
}

function readError(text: string): WireError {
  try {
    const { code, message, hint, data } = JSON.parse(text)
    if (typeof code === 'string' && typeof message === 'string')
      return { name: 'RemoteError', code, message, ...(typeof hint === 'string' && { hint }), data }
  } catch {
    // Told below, as whatever else is no error.
  }
  return { name: 'Error', message: `the worker sent an error that cannot be read: ${text.slice(0, 1_000)}` }
}

/** As much as an error can have, also when the connection breaks. */
async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size > errorBytes) break
    }
  } catch {
    // What came before it broke has to do.
  }
  return Buffer.concat(chunks).toString()
}
