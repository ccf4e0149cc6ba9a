import type { IncomingMessage } from 'node:http'
import { AppError } from '@flash/protocol'

export interface BodyState {
  /** Why it was not read to its end. */
  tooLarge: AppError | undefined
  /** Nothing of it is wanted any more: what still comes is thrown away, and who still reads is told why. */
  stop(reason: Error): void
}

/**
 * The request of a connection as the web knows it; its body is read as it comes.
 *
 * - `limitBytes`: of the body. What declares to be longer is refused at once, else reading fails there.
 * - throws `PAYLOAD_TOO_LARGE`, `BAD_REQUEST`.
 */
export function toRequest(
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
  limitBytes: number,
): Request {
  const { method = 'GET' } = incoming
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > limitBytes) throw tooLarge(declared, limitBytes)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    return new Request(toUrl(incoming), {
      method,
      headers: toHeaders(incoming),
      signal,
      ...(hasBody && { body: toBody(incoming, limitBytes, body), duplex: 'half' }),
    })
  } catch (cause) {
    throw new AppError('BAD_REQUEST', {
      message: `a request ${method} ${incoming.url?.slice(0, 200)} cannot be answered here`,
      cause,
    })
  }
}

/** By the host that it was asked for, whatever stands in the line itself. */
function toUrl({ url = '/', headers }: IncomingMessage): URL {
  const { pathname, search } = url.startsWith('/')
    ? { pathname: url, search: '' }
    : new URL(url, 'http://localhost')
  const { host } = headers
  return new URL(`http://${host !== undefined && isHost(host) ? host : 'localhost'}${pathname}${search}`)
}

function isHost(host: string): boolean {
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`)
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  return headers
}

function toBody(incoming: IncomingMessage, limitBytes: number, state: BodyState): ReadableStream<Uint8Array> {
  let bytes = 0
  let isOver = false
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const stop = (reason: Error) => {
        if (!isOver) controller.error(reason)
        isOver = true
        incoming.resume()
      }
      state.stop = stop
      incoming.pause()
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        // The rest has to be read nevertheless, so that the connection can be used again.
        if (isOver) return
        if (bytes > limitBytes) return stop((state.tooLarge = tooLarge(bytes, limitBytes)))
        controller.enqueue(chunk)
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause()
      })
      incoming.on('end', () => {
        if (!isOver) controller.close()
        isOver = true
      })
      incoming.on('close', () => stop(new Error('the client left before its body was whole')))
    },
    pull: () => void incoming.resume(),
    cancel() {
      isOver = true
      incoming.resume()
    },
  })
}

function tooLarge(bytes: number, limitBytes: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body of the request has ${bytes} bytes or more, the limit is ${limitBytes}`,
    hint: 'send less, or put large data in a volume or bucket and send where it is',
    data: { bytes, limitBytes },
  })
}
