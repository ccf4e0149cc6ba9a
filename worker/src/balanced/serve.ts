import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { AppError, type Clock, systemClock } from '@flash/protocol'
import type { Upgrade } from '../execute/socket-server.ts'
import { admit } from './admit.ts'
import { type BodyState, createBodyState } from './body.ts'
import { checkReply } from './check-reply.ts'
import { answerCheck, createHealth, type Health, type Ready } from './health.ts'
import { listenAt, portOf } from './listen.ts'
import { respond, toErrorResponse } from './respond.ts'
import { answerUpgrade, isForSocket, type TakeUpgrade } from './upgrade.ts'
import { createVisit, type Reply, type Visit } from './visit.ts'

export type Fetch = (request: Request, info: RequestInfo) => Response | Promise<Response>

export interface RequestInfo {
  /** Of the other end of the connection: of the balancer, on the platform. */
  remoteAddress: string | undefined
}

export interface BalancedOptions extends ServeOptions {
  /** Answers every request but health checks. */
  fetch: Fetch
}

export interface VisitedOptions extends ServeOptions {
  /** The same for whoever can do without a `Request`. */
  visit(visit: Visit): Reply | Promise<Reply>
}

interface ServeOptions {
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
  options: ServeOptions
  ask(visit: Visit, info: RequestInfo): Reply | Promise<Reply>
  health: Health
  running: Set<Running>
  /** Nothing runs any more. */
  idle(): void
}

/** Serves a load-balanced endpoint. Rejects when a port cannot be listened at. */
export async function serveBalanced(options: BalancedOptions | VisitedOptions): Promise<BalancedServer> {
  const { port, host: name, healthPath = '/ping', sockets } = options
  const health = createHealth(options.ready)
  const ask: Host['ask'] =
    'visit' in options ? options.visit : (visit, info) => options.fetch(visit.request(), info)
  const host: Host = { options, ask, health, running: new Set(), idle() {} }
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
  const body = createBodyState(incoming)
  try {
    await respond(outgoing, await ask(host, incoming, body, signal))
  } catch (error) {
    if (!signal.aborted) host.options.write?.(`${inspect(error)}\n`)
    // The status is on its way already: only a broken connection tells that the answer is not whole.
    outgoing.destroy()
  } finally {
    leave()
    if (!incoming.readableEnded) body.stop(new Error('the request is answered'))
  }
}

/** Never rejects. */
async function ask(
  host: Host,
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
): Promise<Reply> {
  const { write, toResponse = toErrorResponse } = host.options
  try {
    const made = await askHost(host, incoming, body, signal)
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

async function askHost(
  { options, ask, health }: Host,
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
): Promise<Reply> {
  const { maxBodyBytes: limitBytes = defaultBodyBytes, token } = options
  admit(incoming, token?.())
  const visit = createVisit({ incoming, body, signal, limitBytes })
  if (health.status() !== 200) await health.enter()
  return checkReply(await ask(visit, { remoteAddress: incoming.socket.remoteAddress }))
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
    await health.enter()
    return take(request, upgrade)
  }
  await answerUpgrade(upgrade, signal, admitted, options.toResponse ?? toErrorResponse)
}
