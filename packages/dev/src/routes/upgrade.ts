import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { attend, forwardUpgrade, refuseUpgrade } from '@flash/emulator'
import { AppError } from '@flash/protocol'
import { type RpcUpgrade, toUpgradeRequest } from '@flash/server'
import { NodeRequest } from 'srvx/node'
import { checkUpgradePeer, type Peer } from '../guard.ts'
import { type AllowedHosts, checkHost } from '../hosts.ts'
import { type AppOptions, belowPrefix, checkReadable, findPlaceAgain } from './app.ts'
import { limitsFor, refusalsFor, withoutFor } from './balanced.ts'
import type { BalancedMatch } from './match.ts'
import { errorAnswer } from './problem.ts'

/** Answers an upgrade request of Node's server when it is below the prefix, and leaves all others alone. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface UpgradeOptions
  extends Pick<
    AppOptions,
    'prefix' | 'token' | 'admit' | 'table' | 'rescan' | 'balanced' | 'limits' | 'clock' | 'onInternal'
  > {
  /** By which names the server may be asked; the host's own check does not see upgrades. */
  allowedHosts(): AllowedHosts
  /** Takes what is below `rpc/`, once it may be asked. */
  rpcUpgrade?: RpcUpgrade
}

/** WebSockets of load-balanced endpoints, by the addresses of the route table. */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  return (request, socket, head) => {
    const url = belowPrefix(request, options.prefix)
    if (url === null) return
    // Whoever asked may be gone already.
    socket.on('error', () => socket.destroy())
    const answer = async () => {
      try {
        await visit(options, { request, socket, head, url })
      } catch (error) {
        refuseUpgrade(socket, errorAnswer(error, options.onInternal))
      }
    }
    void answer()
  }
}

interface Visit {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  url: string
}

async function visit(options: UpgradeOptions, { request, socket, head, url }: Visit): Promise<void> {
  checkReadable(url)
  checkHost(request.headers.host, options.allowedHosts())
  const web = new NodeRequest({ req: request })
  options.admit?.(web)
  const peer = checkUpgradePeer(web, request, options.token)
  const path = /^\/rpc\/([^/?]+)(?:\?|$)/.exec(url)?.[1]
  if (path !== undefined && options.rpcUpgrade) {
    const connection = { incoming: request, socket, head }
    return options.rpcUpgrade(toWebRequest(request), path, { kind: 'page', subject: null }, connection)
  }
  const caller = attend(socket, head)
  const match = await findSocket(options, url)
  await join(options, match, peer, { request, caller })
}

function toWebRequest(request: IncomingMessage): Request {
  const web = toUpgradeRequest(request)
  if (web) return web
  throw new AppError('BAD_REQUEST', { message: 'the header Host names no host' })
}

/** - throws `NOT_FOUND`, and `WEBSOCKET_UNSUPPORTED` where there is something else. */
async function findSocket(options: UpgradeOptions, url: string): Promise<BalancedMatch> {
  const place = await findPlaceAgain(options, 'WS', url)
  if (place.kind === 'balanced') return place.match
  const [path] = url.split('?', 1)
  if (place.kind === 'nobody')
    throw new AppError('NOT_FOUND', {
      message: `no WebSocket answers at ${path}`,
      hint: 'routes made with `api.ws(…)` and web apps do',
    })
  throw new AppError('WEBSOCKET_UNSUPPORTED', {
    message: `${path} opens no WebSockets`,
    hint: 'routes made with `api.ws(…)` and web apps do',
  })
}

async function join(
  options: UpgradeOptions,
  { route, path }: BalancedMatch,
  peer: Peer,
  { request, caller }: { request: IncomingMessage; caller: ReturnType<typeof attend> },
): Promise<void> {
  const { clock } = options
  const { signal, socket } = caller
  try {
    const endpoint = await options.balanced(route.fact)
    const seat = await endpoint.seat({ signal })
    const refusals = refusalsFor(seat, endpoint.name)
    const without = withoutFor(peer)
    const limits = limitsFor(seat, options.limits)
    const exchange = { seat, path, request, caller, clock, limits, without, refusals }
    await forwardUpgrade(exchange).finally(seat.release)
  } catch (error) {
    // Nobody is there to be told.
    if (!signal.aborted) throw error
    socket.destroy()
  }
}
