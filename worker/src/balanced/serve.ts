import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { AppError, type Clock, systemClock, TOKEN_HEADER } from '@flash/protocol'
import type { Upgrade } from '../execute/socket-server.ts'
import { admit } from './admit.ts'
import { answerCheck, createHealth, type Health, type Ready } from './health.ts'
import { listenAt, portOf } from './listen.ts'
import { type BodyState, toRequest } from './request.ts'
import { respond, toErrorResponse } from './respond.ts'
import { answerUpgrade, isForSocket, type TakeUpgrade } from './upgrade.ts'

export type Fetch = (request: Request, info: RequestInfo) => Response | Promise<Response>

export interface RequestInfo {
  /** Of the other end of the connection: of the balancer, on the platform. */
  remoteAddress: string | undefined
}

export interface BalancedOptions {
  /** Answers every request but health checks. */
  fetch: Fetch
  /** 0 is any free one. */
  port: number
  /** Where health checks come too; `port` when omitted. */
  healthPort?: number
  host: string
  /** Until it resolves, health checks say 204 and requests wait; when it rejects, they say 503. */
  ready?: Ready
  /** What requests to become a WebSocket get; without it they are plain requests. */
  sockets?: {
    take: TakeUpgrade
    /** The worker ends. */
    leave(): void
  }
  /** Requests without what it gives in the header `TOKEN_HEADER` are refused, and no handler sees that header. */
  token?(): string
  /** The answer to a request that `fetch` does not get, or throws at. */
  toResponse?(error: unknown): Response
  /** Path of health checks, `/ping` when omitted. */
  healthPath?: string
  /** Of the body of a request, 30,000,000 when omitted. */
  maxBodyBytes?: number
  /** How long requests may run after `close` before they are aborted, 30,000 when omitted. */
  shutdownMs?: number
  clock?: Clock
  /** Takes lines for whoever looks after the worker. */
  write?(line: string): void
}

export interface BalancedServer {
  port: number
  healthPort: number
  /**
   * Takes no more requests, and lets those that run come to their end.
   *
   * - resolves to the exit code: 1 when some had to be aborted.
   */
  close(): Promise<0 | 1>
}

const defaultBodyBytes = 30_000_000
const defaultShutdownMs = 30_000

/** A request that is being answered, or a connection that has become something else. */
interface Running {
  abort: AbortController
  destroy(): void
}

/** What the requests of one server share. */
interface Host {
  options: BalancedOptions
  health: Health
  running: Set<Running>
  /** Nothing runs any more. */
  idle(): void
}

/** Serves a load-balanced endpoint. Rejects when a port cannot be listened at. */
export async function serveBalanced(options: BalancedOptions): Promise<BalancedServer> {
  const { port, host: name, healthPath = '/ping', sockets } = options
  const health = createHealth(options.ready)
  const host: Host = { options, health, running: new Set(), idle() {} }
  const isCheck = ({ url }: IncomingMessage) => url?.split('?', 1)[0] === healthPath
  const shouldUpgradeCallback = (incoming: IncomingMessage) => sockets !== undefined && isForSocket(incoming)
  const main = createServer({ shouldUpgradeCallback }, (incoming, outgoing) => {
    if (isCheck(incoming)) return answerCheck(outgoing, health)
    void answer(host, incoming, outgoing)
  })
  if (sockets) {
    main.on('upgrade', (incoming, socket, head) => {
      // An error is followed by the close, which is what matters.
      socket.on('error', () => {})
      void connect(host, sockets.take, { incoming, socket, head })
    })
  }
  const checks = createServer((incoming, outgoing) => {
    if (isCheck(incoming)) return answerCheck(outgoing, health)
    outgoing.writeHead(404).end()
  })
  const { healthPort = port } = options
  const apart = healthPort !== port
  const wanted: [Server, number][] = [[main, port]]
  if (apart) wanted.push([checks, healthPort])
  const servers = await listenAt(name, wanted)
  let closed: Promise<0 | 1> | undefined
  return {
    port: portOf(main),
    healthPort: portOf(apart ? checks : main),
    close: () => (closed ??= drain(host, servers)),
  }
}

async function drain(host: Host, servers: Server[]): Promise<0 | 1> {
  const { options, health, running } = host
  const { clock = systemClock, shutdownMs = defaultShutdownMs } = options
  health.drain()
  options.sockets?.leave()
  const allIdle = new Promise<void>((resolve) => {
    host.idle = resolve
    if (running.size === 0) resolve()
  })
  let code: 0 | 1 = 0
  const late = new Promise<void>((resolve) => {
    const withdraw = clock.after(shutdownMs, () => {
      code = 1
      for (const { abort, destroy } of running) {
        abort.abort(new AppError('CANCELLED', { message: 'the worker ends, and the request took too long' }))
        destroy()
      }
      resolve()
    })
    void allIdle.then(withdraw).then(resolve)
  })
  await late
  await Promise.all(
    servers.map((server) => {
      const gone = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      return gone
    }),
  )
  return code
}

/** Until `leave`, it is one of those that the end waits for. */
function enter(host: Host, destroy: () => void): { signal: AbortSignal; abort(): void; leave(): void } {
  const one: Running = { abort: new AbortController(), destroy }
  host.running.add(one)
  return {
    signal: one.abort.signal,
    abort: () => one.abort.abort(new DOMException('the client is gone', 'AbortError')),
    leave() {
      host.running.delete(one)
      if (host.running.size === 0) host.idle()
    },
  }
}

async function answer(host: Host, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { signal, abort, leave } = enter(host, () => outgoing.destroy())
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) abort()
  })
  const body: BodyState = { tooLarge: undefined, stop: () => void incoming.resume() }
  try {
    await respond(outgoing, await ask(host, incoming, body, signal))
  } catch (error) {
    if (!signal.aborted) host.options.write?.(`${inspect(error)}\n`)
    // The status is on its way already: only a broken connection tells that the answer is not whole.
    outgoing.destroy()
  } finally {
    leave()
    body.stop(new Error('the request is answered'))
  }
}

/** Never rejects. */
async function ask(
  host: Host,
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
): Promise<Response> {
  const { write, toResponse = toErrorResponse } = host.options
  try {
    const made = await askFetch(host, incoming, body, signal)
    if (!body.tooLarge || made.status < 400) return made
    throw body.tooLarge
  } catch (error) {
    // Whatever a handler makes of a body that broke off, the reason is its size.
    const told = body.tooLarge ?? error
    if (!(told instanceof AppError) && !signal.aborted) write?.(`${inspect(told)}\n`)
    const response = toResponse(told)
    // Of what is refused the body was not read, and may be long.
    if (told instanceof AppError) response.headers.set('connection', 'close')
    return response
  }
}

async function askFetch(
  { options, health }: Host,
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
): Promise<Response> {
  const { fetch, maxBodyBytes = defaultBodyBytes, token } = options
  admit(incoming, token?.())
  const request = toRequest(incoming, body, signal, maxBodyBytes)
  request.headers.delete(TOKEN_HEADER)
  await health.enter()
  return checkResponse(await fetch(request, { remoteAddress: incoming.socket.remoteAddress }))
}

async function connect(host: Host, take: TakeUpgrade, upgrade: Upgrade): Promise<void> {
  const { options, health } = host
  const { incoming, socket } = upgrade
  const { signal, abort, leave } = enter(host, () => socket.destroy())
  socket.once('close', () => {
    abort()
    leave()
  })
  const admitted: TakeUpgrade = async (request, upgrade) => {
    admit(incoming, options.token?.())
    request.headers.delete(TOKEN_HEADER)
    await health.enter()
    return take(request, upgrade)
  }
  await answerUpgrade(upgrade, signal, admitted, options.toResponse ?? toErrorResponse)
}

/** Throws a `TypeError`, for the log, for what cannot be sent: while no status is on its way, the client can still hear of it. */
function checkResponse(made: Response): Response {
  const { status, body } = Object(made) as Response
  if (!(status >= 200))
    throw new TypeError(`\`fetch\` gave ${inspect(made)}: return a Response with a status`)
  if (!body?.locked) return made
  throw new TypeError('`fetch` gave a Response whose body was read already: return `response.clone()`')
}
