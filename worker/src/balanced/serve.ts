import { createServer, type IncomingMessage, type Server } from 'node:http'
import { AppError, type Clock, systemClock } from '@flash/protocol'
import type { Upgrade } from '../execute/socket-server.ts'
import { admit } from './admit.ts'
import { Ending } from './ending.ts'
import { Exchange, type ExchangeHost, type Running } from './exchange.ts'
import { answerCheck, createHealth, type Health, type Ready } from './health.ts'
import { listenAt, portOf } from './listen.ts'
import { toErrorResponse } from './respond.ts'
import { watchTime } from './time-limits.ts'
import { answerUpgrade, isForSocket, type TakeUpgrade } from './upgrade.ts'
import type { Reply, Visit } from './visit.ts'

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

/** Serves a load-balanced endpoint. Rejects when a port cannot be listened at. */
export async function serveBalanced(options: BalancedOptions | VisitedOptions): Promise<BalancedServer> {
  const { port, host: name, healthPath = '/ping', sockets } = options
  const health = createHealth(options.ready)
  const host = createHost(options, health)
  const isCheck = ({ url }: IncomingMessage) => url === healthPath || url?.startsWith(`${healthPath}?`)
  const shouldUpgradeCallback = (incoming: IncomingMessage) => sockets !== undefined && isForSocket(incoming)
  const main = createServer({ shouldUpgradeCallback }, (incoming, outgoing) => {
    if (isCheck(incoming)) return answerCheck(outgoing, health)
    void new Exchange(host, incoming, outgoing).run()
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
    close: () => (closed ??= drain(host, options, servers)),
  }
}

function createHost(options: BalancedOptions | VisitedOptions, health: Health): ExchangeHost {
  const { maxBodyBytes: limitBytes = defaultBodyBytes, toResponse = toErrorResponse, token, write } = options
  const ask: ExchangeHost['ask'] =
    'visit' in options
      ? options.visit
      : (visit, { socket }) => options.fetch(visit.request(), { remoteAddress: socket.remoteAddress })
  const { clock = systemClock } = options
  const running = new Set<Running>()
  const watch = watchTime(running, clock)
  return { ask, toResponse, token, write, limitBytes, health, clock, running, watch, idle() {} }
}

async function drain(host: ExchangeHost, options: ServeOptions, servers: Server[]): Promise<0 | 1> {
  const { health, running, clock } = host
  const { shutdownMs = defaultShutdownMs } = options
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
      for (const one of running)
        one.stop(new AppError('CANCELLED', { message: 'the worker ends, and the request took too long' }))
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

async function connect(host: ExchangeHost, take: TakeUpgrade, upgrade: Upgrade): Promise<void> {
  const { health, token, toResponse, running } = host
  const { incoming, socket } = upgrade
  const ending = new Ending()
  const one: Running = {
    dueAt: Number.POSITIVE_INFINITY,
    expire() {},
    stop(reason) {
      ending.end(reason)
      socket.destroy()
    },
  }
  running.add(one)
  socket.once('close', () => {
    ending.end(new DOMException('the client is gone', 'AbortError'))
    running.delete(one)
    if (running.size === 0) host.idle()
  })
  const admitted: TakeUpgrade = async (request, upgrade) => {
    admit(incoming, token?.())
    await health.enter()
    return take(request, upgrade)
  }
  await answerUpgrade(upgrade, ending, admitted, toResponse)
}
