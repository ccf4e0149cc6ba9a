import { errorCodes, RESULT_HEADER, type WireError } from '@flash/protocol'
import type { ErrorFilter } from './redact-error.ts'

/** No error is longer that was meant for a browser. */
const errorBytes = 1_048_576

/**
 * The answer of a load-balanced endpoint as browsers may see it: of what a route threw only what is meant for them. What
 * a route or a web app answers by itself is its author's business.
 */
export async function guardAnswer(response: Response, errors: ErrorFilter): Promise<Response> {
  // Without a body, as to HEAD, there is nothing to tell.
  if (response.headers.get(RESULT_HEADER) !== 'error' || !response.body) return response
  const wire = await readError(response)
  const shown = errors.thrown(wire)
  const { code, message, hint, data } = shown
  const isHidden = code !== wire.code
  const status = isHidden ? errorCodes.INTERNAL.status : response.status
  return Response.json({ code, message, hint, data }, { status, headers: { [RESULT_HEADER]: 'error' } })
}

async function readError(response: Response): Promise<WireError> {
  const text = await readText(response)
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
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body!) {
      chunks.push(chunk)
      size += chunk.length
      if (size > errorBytes) break
    }
  } catch {
    // What came before it broke has to do.
  }
  return Buffer.concat(chunks).toString()
}
