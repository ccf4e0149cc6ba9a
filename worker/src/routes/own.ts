import { RESULT_HEADER } from '@flash/protocol'
import { headersToSend } from '../balanced/respond.ts'

/** By it servers of ours know the answers of each other. */
const OF_SERVERS = 'x-flash'

/**
 * The same answer, known as one of this worker's program. Headers of ours that it has are of an answer that its author
 * passes on, and would say of this one what was true of that.
 *
 * What is no answer at all stays as it is.
 */
export function toOwn(response: Response): Response {
  const { status, statusText, body, headers } = Object(response) as Response
  if (!(status >= 200) || body?.locked) return response
  try {
    mark(headers)
    return response
  } catch {
    // Nobody can change the headers of a redirect, and of what `fetch` gave.
    const copied = headersToSend(response)
    mark(copied)
    return new Response(body, { status, statusText, headers: copied })
  }
}

function mark(headers: Headers): void {
  headers.delete(OF_SERVERS)
  headers.set(RESULT_HEADER, 'response')
}
