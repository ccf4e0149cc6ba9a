import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Clock } from '@flash/protocol'
import type { Target } from './environment.ts'

export interface Answer {
  status: number
  /** Media type without parameters, in small letters. */
  type: string
  /** What `Retry-After` asks for. */
  retryAfterMs: number | undefined
  /** Empty when nobody wanted to read it. */
  text: string
}

export interface Exchange {
  target: Target
  /** Makes it a POST. */
  body?: string
  headers?: OutgoingHttpHeaders
  /** Until the answer is complete. */
  timeoutMs: number
  /** The longest answer that is read; when omitted, its status is enough, and the rest is thrown away. */
  limitBytes?: number
  /** Breaks the exchange off at once. */
  signal?: AbortSignal
  /** Takes the request back. An answer that is on its way already is still taken for `leaveMs`. */
  leave?: AbortSignal
}

/** HTTP towards the platform, over connections that stay open. */
export interface Client {
  /** Rejects for what the network does, never for a status. */
  send(exchange: Exchange): Promise<Answer>
  close(): void
}

export interface ClientOptions {
  clock: Clock
  authorization: string | undefined
  userAgent: string
  leaveMs: number
}

const longestRetryAfterMs = 300_000

export function createClient(options: ClientOptions): Client {
  const schemes: Partial<Record<'node:http' | 'node:https', Scheme>> = {}
  const fixed = { authorization: options.authorization ?? '', 'user-agent': options.userAgent }
  const open = ({ target: { server, path }, body, headers }: Exchange): ClientRequest => {
    const name = server.isSecure ? 'node:https' : 'node:http'
    const { request, agent } = (schemes[name] ??= openScheme(name))
    return request({
      agent,
      hostname: server.hostname,
      port: server.port,
      method: body === undefined ? 'GET' : 'POST',
      path,
      headers: { ...fixed, ...headers },
    })
  }
  return {
    async send(exchange) {
      try {
        return await run(open(exchange), exchange, options)
      } catch (error) {
        if (!isStale.has(error as Error)) throw error
        return run(open(exchange), exchange, options)
      }
    },
    close() {
      for (const { agent } of Object.values(schemes)) agent.destroy()
    },
  }
}

interface Scheme {
  request: typeof import('node:http').request
  agent: import('node:http').Agent
}

/**
 * Taken from the process, when it is needed: an import of `node:http` also loads what else the module offers by now, which
 * is more than half of the start of a worker.
 */
function openScheme(name: 'node:http' | 'node:https'): Scheme {
  const { request, Agent } = process.getBuiltinModule(name)
  return { request, agent: new Agent({ keepAlive: true }) }
}

/** Errors of connections that were kept from an earlier request: the other side had closed them meanwhile. */
const isStale = new WeakSet<Error>()

function run(request: ClientRequest, exchange: Exchange, options: ClientOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined
    const end = (why: string) => request.destroy(new Error(why))
    const letGo = watch(exchange, request, options, end)
    const fail = (error: Error) => {
      letGo()
      if (!response && request.reusedSocket && /^(?:ECONNRESET|EPIPE)$/.test(codeOf(error)))
        isStale.add(error)
      reject(error)
    }
    request.on('error', fail)
    request.on('response', (incoming) => {
      response = incoming
      incoming.on('error', fail)
      incoming.on('close', letGo)
      const answer = (text: string) => resolve(toAnswer(incoming, text, options.clock))
      if (exchange.limitBytes !== undefined) return readText(incoming, exchange.limitBytes, answer, end)
      incoming.resume()
      answer('')
    })
    request.end(exchange.body)
  })
}

/** Ends a request when its time is over or nobody wants it any more; returns what stops watching. */
function watch(
  { timeoutMs, signal, leave }: Exchange,
  request: ClientRequest,
  { clock, leaveMs }: ClientOptions,
  end: (why: string) => void,
): () => void {
  const timers = [clock.after(timeoutMs, () => end(`no answer within ${timeoutMs} ms`))]
  const onAbort = () => end('broken off')
  const onLeave = () => {
    if (!request.socket || request.socket.connecting) return onAbort()
    // Our half is closed: the other side sees that nobody asks any more, and what it has sent before still comes.
    request.socket.end()
    timers.push(clock.after(leaveMs, onAbort))
  }
  if (signal?.aborted || leave?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort)
  leave?.addEventListener('abort', onLeave)
  return () => {
    for (const withdraw of timers.splice(0)) withdraw()
    signal?.removeEventListener('abort', onAbort)
    leave?.removeEventListener('abort', onLeave)
  }
}

function readText(
  response: IncomingMessage,
  limitBytes: number,
  done: (text: string) => void,
  end: (why: string) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limitBytes) end(`the answer has more than ${limitBytes} bytes`)
    else chunks.push(chunk)
  })
  response.on('end', () => done(chunks.length === 1 ? String(chunks[0]) : String(Buffer.concat(chunks))))
}

function toAnswer({ statusCode, headers }: IncomingMessage, text: string, clock: Clock): Answer {
  return {
    status: statusCode!,
    type: (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase(),
    retryAfterMs: readRetryAfter(headers['retry-after'], clock),
    text,
  }
}

/** Seconds or a date; `undefined` when it is neither. */
function readRetryAfter(value: string | undefined, clock: Clock): number | undefined {
  if (!value) return undefined
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - clock.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestRetryAfterMs)
}

function codeOf(error: Error): string {
  return String((error as { code?: unknown }).code)
}
