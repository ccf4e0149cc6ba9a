import { AppError, type FunctionFact, RESULT_HEADER } from '@flash/protocol'
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
 * Sends a request to one of the addresses of an endpoint; what the program of a worker answers is the answer, whatever it is.
 *
 * - `kind`: a web app may be served by something that is no worker of ours, so that others answer for it only on the platform.
 * - throws what somebody says in place of a worker: `ACCOUNT_REFUSED`, `ENDPOINT_NOT_DEPLOYED`, `NO_WORKERS`,
 *   `PAYLOAD_TOO_LARGE`, `WORKER_UNAVAILABLE`, `TRANSPORT`; and what sending throws.
 */
export async function sendBalanced(
  sender: BalancedSender,
  { addresses, otherwise }: BalancedPlace,
  request: BackendRequest,
  kind: FunctionFact['kind'],
): Promise<Response> {
  try {
    return await sendTo(sender, addresses, request, kind)
  } catch (error) {
    const isUnknown = error instanceof AppError && error.code === 'ENDPOINT_NOT_DEPLOYED'
    // A stream is gone once it was sent.
    const other = isUnknown && !(request.body instanceof ReadableStream) ? await otherwise?.() : undefined
    if (!other) throw error
    return sendTo(sender, [other], request, kind)
  }
}

async function sendTo(
  { steady, env }: BalancedSender,
  addresses: readonly QueueAddress[],
  request: BackendRequest,
  kind: FunctionFact['kind'],
): Promise<Response> {
  const response = await steady.fetch(addresses, request)
  const { status, headers } = response
  if (headers.has(RESULT_HEADER)) return response
  const isOfPlatform = isPlatform(addresses, env) && !headers.has('x-runpod-worker-id')
  if (kind === 'web' && (status < 300 || !isOfPlatform)) return response
  throw toRefusal(addresses[0]!, { status, text: await readBeginning(response), isOfPlatform })
}

/** Where a WebSocket of the endpoint is opened. */
export function toSeat({ steady, env }: BalancedSender, { addresses }: BalancedPlace): BackendSeat {
  const address = steady.choose(addresses)
  const { url, headers, key } = address
  return {
    url,
    headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    refusal({ status, headers, text }) {
      const isOfWorker = headers.has(RESULT_HEADER) || headers.has('x-runpod-worker-id')
      if (isOfWorker || !isPlatform([address], env)) return undefined
      return toRefusal(address, { status, text, isOfPlatform: true })
    },
    release() {},
  }
}

/** There an answer of a worker has its name. */
function isPlatform(addresses: readonly QueueAddress[], env: Env): boolean {
  const { host } = readBase(env)
  return addresses.every(({ url }) => {
    const own = new URL(url).host
    return own === host || own.endsWith(`.${host}`)
  })
}

/** What was said in place of a worker's program. */
interface Said {
  status: number
  /** Its beginning. */
  text: string
  isOfPlatform: boolean
}

function toRefusal(address: QueueAddress, said: Said): AppError {
  const { status, text } = said
  const about = `endpoint "${address.endpoint}"`
  if (status === 503 && text.includes('"WORKER_UNAVAILABLE"')) {
    return new AppError('WORKER_UNAVAILABLE', {
      message: `${about}: a worker takes no requests: it could not start, or it ends`,
      hint: 'send the request again; the log of the worker says why',
    })
  }
  const known = readPlatformRefusal(about, address, said)
  if (known) return new AppError(known.code, { message: known.message, hint: known.hint })
  if (status === 413) {
    return new AppError('PAYLOAD_TOO_LARGE', {
      message: `${about}: the platform takes and gives at most 30 MB in one request (413)`,
      hint: 'send less at a time, or put large data in a volume and send where it is',
    })
  }
  return notOfWorker(about, said)
}

function notOfWorker(about: string, { status, isOfPlatform }: Said): AppError {
  const who = isOfPlatform ? 'the platform' : 'something else'
  return new AppError('TRANSPORT', {
    message: `${about}: ${who} answered ${status} in place of a worker`,
    hint: isOfPlatform
      ? 'try again if that does no harm; look at the workers of the endpoint and their logs'
      : 'look what answers at its address: a proxy, a sign-in page, another server, or a worker of an older build',
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
