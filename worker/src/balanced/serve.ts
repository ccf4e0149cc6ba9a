import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { AppError, type Clock, systemClock } from '@flash/protocol'
import { createHealth, type Health } from './health.ts'
import { type BodyState, toRequest } from './request.ts'
import { respond, toErrorResponse } from './respond.ts'

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
  ready?: Promise<unknown>
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

/** The balancer keeps connections for long; one that this side closes first is a failed request there. */
const keepAliveMs = 610_000

interface Running {
  abort: AbortController
  outgoing: ServerResponse
}

/** Serves a load-balanced endpoint. Rejects when a port cannot be listened at. */
export async function serveBalanced(options: BalancedOptions): Promise<BalancedServer> {
  const { port, host, healthPath = '/ping' } = options
  const health = createHealth(options.ready ?? Promise.resolve())
  const running = new Set<Running>()
  let idle = () => {}
  const isCheck = ({ url }: IncomingMessage) => url?.split('?', 1)[0] === healthPath
  const main = createServer((incoming, outgoing) => {
    if (isCheck(incoming)) return answerCheck(outgoing, health)
    void answer(options, health, running, incoming, outgoing).then(() => {
      if (running.size === 0) idle()
    })
  })
  const checks = createServer((incoming, outgoing) => {
    if (isCheck(incoming)) return answerCheck(outgoing, health)
    outgoing.writeHead(404).end()
  })
  const { healthPort = port } = options
  const apart = healthPort !== port
  const wanted: [Server, number][] = [[main, port]]
  if (apart) wanted.push([checks, healthPort])
  const servers = await listenAt(host, wanted)
  const allIdle = () =>
    new Promise<void>((resolve) => {
      idle = resolve
      if (running.size === 0) resolve()
    })
  let closed: Promise<0 | 1> | undefined
  return {
    port: portOf(main),
    healthPort: portOf(apart ? checks : main),
    close: () => (closed ??= drain(options, health, running, servers, allIdle())),
  }
}

async function drain(
  { clock = systemClock, shutdownMs = defaultShutdownMs }: BalancedOptions,
  health: Health,
  running: ReadonlySet<Running>,
  servers: Server[],
  allIdle: Promise<void>,
): Promise<0 | 1> {
  health.drain()
  let code: 0 | 1 = 0
  const late = new Promise<void>((resolve) => {
    const withdraw = clock.after(shutdownMs, () => {
      code = 1
      for (const { abort, outgoing } of running) {
        abort.abort(new AppError('CANCELLED', { message: 'the worker ends, and the request took too long' }))
        outgoing.destroy()
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

async function answer(
  options: BalancedOptions,
  health: Health,
  running: Set<Running>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const abort = new AbortController()
  const one: Running = { abort, outgoing }
  const onClose = () => {
    if (!outgoing.writableFinished) abort.abort(new DOMException('the client is gone', 'AbortError'))
  }
  outgoing.once('close', onClose)
  running.add(one)
  const body: BodyState = { tooLarge: undefined, stop: () => void incoming.resume() }
  try {
    await respond(outgoing, await ask(options, health, incoming, body, abort.signal))
  } catch (error) {
    if (!abort.signal.aborted) options.write?.(`${inspect(error)}\n`)
    // The status is on its way already: only a broken connection tells that the answer is not whole.
    outgoing.destroy()
  } finally {
    running.delete(one)
    body.stop(new Error('the request is answered'))
  }
}

/** Never rejects. */
async function ask(
  { fetch, maxBodyBytes = defaultBodyBytes, write }: BalancedOptions,
  health: Health,
  incoming: IncomingMessage,
  body: BodyState,
  signal: AbortSignal,
): Promise<Response> {
  try {
    const request = toRequest(incoming, body, signal, maxBodyBytes)
    await untilReady(health)
    return checkResponse(await fetch(request, { remoteAddress: incoming.socket.remoteAddress }))
  } catch (error) {
    // Whatever a handler makes of a body that broke off, the reason is its size.
    const told = body.tooLarge ?? error
    if (!(told instanceof AppError) && !signal.aborted) write?.(`${inspect(told)}\n`)
    const response = toErrorResponse(told)
    // Of what is refused the body was not read, and may be long.
    if (told instanceof AppError) response.headers.set('connection', 'close')
    return response
  }
}

/** Throws a `TypeError`, for the log, for what cannot be sent: while no status is on its way, the client can still hear of it. */
function checkResponse(made: Response): Response {
  const { status, body } = Object(made) as Response
  if (!(status >= 200))
    throw new TypeError(`\`fetch\` gave ${inspect(made)}: return a Response with a status`)
  if (!body?.locked) return made
  throw new TypeError('`fetch` gave a Response whose body was read already: return `response.clone()`')
}

/** Throws `WORKER_UNAVAILABLE` when the worker takes no requests. */
async function untilReady(health: Health): Promise<void> {
  await health.settled
  if (health.status() === 200) return
  throw new AppError('WORKER_UNAVAILABLE', {
    message: 'this worker takes no requests: it could not start, or it ends',
    hint: 'send the request to another worker; the log of this one says why',
  })
}

function answerCheck(outgoing: ServerResponse, health: Health): void {
  const status = health.status()
  const words = { 200: '{"status":"healthy"}', 204: undefined, 503: '{"status":"unhealthy"}' }
  const type = words[status] && { 'content-type': 'application/json' }
  outgoing.writeHead(status, { 'cache-control': 'no-store', ...type }).end(words[status])
}

async function listenAt(host: string, wanted: [Server, number][]): Promise<Server[]> {
  const servers = wanted.map(([server]) => server)
  try {
    for (const [server, port] of wanted) await listen(server, port, host)
    return servers
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  server.keepAliveTimeout = keepAliveMs
  // The balancer has its own limit of time; uploads may take as long as that allows.
  server.requestTimeout = 0
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
