import { AppError } from '@flash/protocol'
import {
  type Env,
  type QueueAddress,
  readBase,
  readPlatformRefusal,
  type Steady,
} from '@flash/runtime/server'
import type { BackendRequest, BackendSeat } from '../backend.ts'

/** Where a load-balanced endpoint answers, and where else it may be. */
export interface BalancedPlace {
  addresses: readonly QueueAddress[]
  otherwise?: () => Promise<QueueAddress | null>
}

export interface BalancedSender {
  steady: Pick<Steady, 'choose' | 'fetch'>
  env: Env
}

/** How much of an answer of the platform is read for what it says. */
const refusalBytes = 10_000

/**
 * Sends a request to one of the addresses of an endpoint; what a worker answers is the answer, whatever it is.
 *
 * - throws what the platform says in place of a worker: `ACCOUNT_REFUSED`, `ENDPOINT_NOT_DEPLOYED`, `NO_WORKERS`,
 *   `PAYLOAD_TOO_LARGE`, `TRANSPORT`; and what sending throws.
 */
export async function sendBalanced(
  sender: BalancedSender,
  { addresses, otherwise }: BalancedPlace,
  request: BackendRequest,
): Promise<Response> {
  try {
    return await sendTo(sender, addresses, request)
  } catch (error) {
    const isUnknown = error instanceof AppError && error.code === 'ENDPOINT_NOT_DEPLOYED'
    // A stream is gone once it was sent.
    const other = isUnknown && !(request.body instanceof ReadableStream) ? await otherwise?.() : undefined
    if (!other) throw error
    return sendTo(sender, [other], request)
  }
}

async function sendTo(
  { steady, env }: BalancedSender,
  addresses: readonly QueueAddress[],
  request: BackendRequest,
): Promise<Response> {
  const response = await steady.fetch(addresses, request)
  const { status } = response
  if (status < 300 || isOfWorker(response, addresses, env)) return response
  const text = await readBeginning(response)
  throw toRefusal(addresses[0]!, status, text)
}

/** Where a WebSocket of the endpoint is opened. */
export function toSeat({ steady }: BalancedSender, { addresses }: BalancedPlace): BackendSeat {
  const { url, headers, key } = steady.choose(addresses)
  return {
    url,
    headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    release() {},
  }
}

/** On the platform an answer of a worker has its name; elsewhere there is nobody else. */
function isOfWorker({ headers }: Response, addresses: readonly QueueAddress[], env: Env): boolean {
  if (headers.has('x-runpod-worker-id')) return true
  const { host } = readBase(env)
  return !addresses.every(({ url }) => {
    const own = new URL(url).host
    return own === host || own.endsWith(`.${host}`)
  })
}

function toRefusal(address: QueueAddress, status: number, text: string): AppError {
  const about = `endpoint "${address.endpoint}"`
  const known = readPlatformRefusal(about, address, { status, text })
  if (known) return new AppError(known.code, { message: known.message, hint: known.hint })
  if (status === 413) {
    return new AppError('PAYLOAD_TOO_LARGE', {
      message: `${about}: the platform takes and gives at most 30 MB in one request (413)`,
      hint: 'send less at a time, or put large data in a volume and send where it is',
    })
  }
  return new AppError('TRANSPORT', {
    message: `${about}: the platform answered ${status} in place of a worker`,
    hint: 'try again if that does no harm; look at the workers of the endpoint and their logs',
    data: { status },
  })
}

async function readBeginning({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk)
      size += chunk.length
      if (size > refusalBytes) break
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString()
}
