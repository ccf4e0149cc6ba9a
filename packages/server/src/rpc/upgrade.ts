import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError, type Clock, isBalanced, systemClock } from '@flash/protocol'
import type { FoundFunction, RpcBackend } from '../backend.ts'
import type { Capability } from '../capability.ts'
import type { RpcCaller } from '../envelope.ts'
import { type Gate, openGate, Refusal } from '../gate.ts'
import { problemResponse } from '../problem.ts'
import { unknownFunction } from '../target.ts'
import { noWebSockets, refuseUpgrade } from '../upgrade.ts'
import { type FetchTarget, toFetchTarget } from './fetch-target.ts'
import { type JoinOptions, joinWebSocket } from './join.ts'
import { attend } from './attend.ts'
import { checkReference } from './reference.ts'
import { ProgramRefusal } from './socket-refusal.ts'
import { PROTOCOL } from './socket-url.ts'
import { createToError, type OnInternal } from './to-error.ts'

export interface RpcUpgradeOptions {
  capability: Capability
  backend: RpcBackend
  /** Everybody may open everything when omitted. */
  gate?: Gate
  clock?: Clock
  onInternal?: OnInternal
  /** Makes of why an endpoint opened no WebSocket what its caller may know; the caller is told as it is when omitted. */
  hide?(error: unknown): AppError
}

/** An upgrade request as Node's server gives it. */
export interface UpgradeConnection {
  incoming: IncomingMessage
  socket: Duplex
  head: Buffer
}

/**
 * Opens a WebSocket, or says why not and closes; resolves when the connection is over.
 *
 * - `request`: the same as a web request, see `toUpgradeRequest`.
 * - `path`: what follows `rpc/` in its URL.
 */
export type RpcUpgrade = (
  request: Request,
  path: string,
  caller: RpcCaller,
  connection: UpgradeConnection,
) => Promise<void>

/**
 * WebSockets of the route below `{prefix}/rpc/`: `GET {id}.{tag}?path=…`, to routes `api.ws` and to web apps.
 *
 * The host has checked the origin of the request already.
 */
export function createRpcUpgrade(options: RpcUpgradeOptions): RpcUpgrade {
  const { clock = systemClock } = options
  const toError = createToError(options.onInternal)
  return async (request, path, caller, connection) => {
    const { incoming, socket, head } = connection
    const waiting = attend(socket, head)
    try {
      if (incoming.method !== 'GET') throw badRequest('a WebSocket begins with a GET request')
      const { id, ...wanted } = await judge(options, request, path, caller)
      const seat = await openSeat(options.backend, id, waiting.signal)
      try {
        await joinHidden({ incoming, socket, waiting, seat, clock, ...wanted }, options.hide)
      } finally {
        seat.release()
      }
    } catch (error) {
      // Whoever left is not told, and what that broke off is no failure.
      if (waiting.signal.aborted && !(error instanceof AppError)) return void socket.destroy()
      const response = error instanceof Refusal ? error.response : problemResponse(toError(error), Response)
      await refuseUpgrade(socket, response)
    }
  }
}

/** Joins, and throws what the caller may know of a failure. */
async function joinHidden(joining: JoinOptions, hide: RpcUpgradeOptions['hide']): Promise<void> {
  const { signal } = joining.waiting
  try {
    await joinWebSocket(joining)
  } catch (error) {
    if (!hide || error instanceof ProgramRefusal) throw error
    // What a caller breaks off by leaving is no failure.
    throw signal.aborted ? signal.reason : hide(error)
  }
}

/** What the caller wants, once it is clear that it may have it. */
interface Admitted {
  id: string
  target: FetchTarget
  kind: FoundFunction['kind']
  /** The caller's own. */
  protocols: string[]
}

async function judge(
  { capability, backend, gate = openGate }: RpcUpgradeOptions,
  request: Request,
  path: string,
  caller: RpcCaller,
): Promise<Admitted> {
  const id = checkReference(capability, path, caller)
  const found = await backend.find(id)
  if (!found) throw unknownFunction(id)
  const target = toSocketTarget(found, request)
  const call = { kind: 'fetch', id, endpoint: found.endpoint, method: 'GET', path: target.path } as const
  await gate.admit(request, call, caller)
  return { id, target, kind: found.kind, protocols: readProtocols(request) }
}

function toSocketTarget({ kind, route, routes }: FoundFunction, request: Request): FetchTarget {
  if (!kind || !isBalanced({ kind })) throw badRequest('a function with a queue opens no WebSockets')
  const paths = new URL(request.url).searchParams.getAll('path')
  if (paths.length !== 1 || !paths[0]!.startsWith('/'))
    throw badRequest('the address must have the path of the endpoint once, as `?path=/…`')
  return toFetchTarget({ kind, route, routes }, { method: 'WS', path: paths[0]! })
}

function readProtocols({ headers }: Request): string[] {
  const offered = (headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
  if (offered.includes(PROTOCOL)) return offered.filter((name) => name !== '' && name !== PROTOCOL)
  throw badRequest(`the WebSocket does not offer the subprotocol ${PROTOCOL}`)
}

async function openSeat(backend: RpcBackend, id: string, signal: AbortSignal) {
  if (!backend.seat) throw noWebSockets()
  return backend.seat(id, signal)
}

function badRequest(message: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint: 'connect through the stub of the endpoint' })
}
