import { type Clock, RemoteError } from '@flash/protocol'
import { createGuard } from '../guard.ts'
import { wakingClock } from '../waking-clock.ts'

/** A worker may have to start first. */
const openMs = 60_000

export interface OpenOptions {
  signal?: AbortSignal
  clock?: Clock
  /** Why it could not be opened, where that can be known; rejects with it. */
  refusal?: Promise<never>
}

/**
 * Waits until a WebSocket is open.
 *
 * - throws `TIMEOUT` after a minute, `TRANSPORT`, and the reason of the signal; then it is closed.
 */
export async function untilOpen(socket: WebSocket, options: OpenOptions): Promise<WebSocket> {
  const { signal, clock = wakingClock, refusal } = options
  const guard = createGuard({ signal }, clock, () => {})
  const withdraw = clock.after(openMs, () => guard.stop(tooSlow()))
  const opened = new Promise<WebSocket>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(socket), { once: true })
    // They stay: in Node an error that nobody listens to ends the process.
    for (const name of ['error', 'close']) socket.addEventListener(name, (event) => reject(notOpened(event)))
  })
  try {
    guard.check()
    return await guard.race(refusal ? Promise.race([refusal, opened]) : opened)
  } catch (error) {
    opened.catch(() => {})
    socket.close()
    throw error
  } finally {
    withdraw()
    guard.end()
  }
}

function tooSlow(): RemoteError {
  return new RemoteError('TIMEOUT', `the WebSocket was not open within ${openMs} ms`, {
    hint: 'try again: a worker may still be starting',
  })
}

/** Browsers keep to themselves what it was. */
function notOpened(event: Event): RemoteError {
  const { message, reason } = event as { message?: string; reason?: string }
  const why = message || reason
  return new RemoteError('TRANSPORT', `the WebSocket could not be opened${why ? `: ${why}` : ''}`, {
    hint: 'look whether the server runs, and whether it and the proxies before it open WebSockets',
  })
}

export function socketUnsupported(): RemoteError {
  return new RemoteError('WEBSOCKET_UNSUPPORTED', 'there is no way to open WebSockets from here', {
    hint: 'open it from a page, or from code that runs beside the dev server',
  })
}

export function toList(protocols: string | string[] = []): string[] {
  return typeof protocols === 'string' ? [protocols] : [...protocols]
}

/** The subprotocol of every WebSocket that goes through the rpc route. */
export const flashProtocol = 'flash.v1'
