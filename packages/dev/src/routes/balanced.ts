import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type BalancedLimits,
  forward,
  headTooLarge,
  type LocalBalanced,
  type LocalSeat,
  type Refusals,
  send,
  signalOf,
} from '@flash/emulator'
import { AppError, type Clock, DEADLINE_HEADER, type FunctionFact, HOPS_HEADER } from '@flash/protocol'
import { MARKER } from '@flash/server'
import type { Peer } from '../guard.ts'
import type { BalancedMatch } from './match.ts'
import { type OnInternal, problemAnswer, refuse } from './problem.ts'

/** What the routes of load-balanced endpoints need of the runtime. */
export interface BalancedRoutesHost {
  balanced(fact: FunctionFact): Promise<Pick<LocalBalanced, 'name' | 'seat'>>
  limits: BalancedLimits
  clock: Clock
  onInternal: OnInternal
}

const marked = { [MARKER]: '1', 'cache-control': 'private, no-store' }

/** Passes a request to a worker of its endpoint, and the answer back, as both come. */
export async function answerBalanced(
  host: BalancedRoutesHost,
  { route, path }: BalancedMatch,
  { peer, request, response }: { peer: Peer; request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { limits, clock } = host
  const signal = signalOf(response)
  try {
    checkSize(request, limits)
    const endpoint = await host.balanced(route.fact)
    const seat = await endpoint.seat({ signal })
    const refusals = refusalsFor(seat, endpoint.name)
    const without = withoutFor(peer)
    const said = { refusals, without, defaults: marked }
    const given = { clock, limits: limitsFor(seat, limits), keepsConnections: true }
    const exchange = { seat, path, request, response, ...given, ...said }
    await forward(exchange).finally(seat.release)
  } catch (error) {
    if (!signal.aborted) refuse(response, error, host.onInternal)
  }
}

/** What pages keep for the app's own server goes to no worker, as in production, where workers are somewhere else. */
export function withoutFor({ kind }: Peer): string[] {
  return kind === 'page' ? ['cookie', 'set-cookie', HOPS_HEADER, DEADLINE_HEADER] : []
}

/** The endpoint may give a request less time than the platform. */
export function limitsFor({ limitMs }: LocalSeat, limits: BalancedLimits): BalancedLimits {
  return { ...limits, processingMs: Math.min(limits.processingMs, limitMs) }
}

/** What is said in place of a worker, as the other routes say it. */
export function refusalsFor(seat: LocalSeat, endpoint: string): Refusals {
  return {
    async badGateway() {
      const ended = await seat.lost()
      return problemAnswer(ended instanceof AppError ? ended : connectionLost(endpoint))
    },
    headTooLarge: ({ workerId }, limit) => problemAnswer(headTooLarge(workerId, limit)),
    tooSlow: (limitMs) => problemAnswer(seat.expire(limitMs)),
    tooLarge: (limit, size) =>
      problemAnswer(tooLarge(`the request or its answer has ${size} bytes or more`, size, limit)),
  }
}

function connectionLost(endpoint: string): AppError {
  return new AppError('CONNECTION_LOST', {
    message: `the worker of "${endpoint}" closed the connection before it had answered`,
    hint: 'look at what it printed',
  })
}

function tooLarge(what: string, size: number, limit: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `${what}, ${limit} bytes are allowed`,
    hint: 'send less in one request, or a reference to it',
    data: { size, limit },
  })
}

/** Before anything of it is read; how much really comes is counted on its way. Any type may come: who asks was looked at before. */
function checkSize({ headers }: IncomingMessage, { bytes }: BalancedLimits): void {
  const size = Number(headers['content-length'] ?? 0)
  if (size > bytes) throw tooLarge(`the body has ${size} bytes`, size, bytes)
}

/** There are routes at the address, and none of them has the method. */
export function refuseMethod(
  request: IncomingMessage,
  response: ServerResponse,
  { path, allow }: { path: string; allow: string[] },
): void {
  const headers = { ...marked, allow: allow.join(', ') }
  if (request.method === 'OPTIONS') return send(response, { status: 204, headers })
  const refusal = problemAnswer(allow.length > 0 ? notAllowed(request, path, allow) : onlyWebSockets(path))
  send(response, { ...refusal, headers: { ...refusal.headers, ...(allow.length > 0 && headers) } })
}

function notAllowed({ method }: IncomingMessage, path: string, allow: string[]): AppError {
  return new AppError('METHOD_NOT_ALLOWED', {
    message: `${method} is not allowed at ${path}`,
    hint: `use ${allow.filter((one) => one !== 'OPTIONS').join(' or ')}`,
  })
}

function onlyWebSockets(path: string): AppError {
  return new AppError('UPGRADE_REQUIRED', {
    message: `${path} is a WebSocket`,
    hint: 'open it with a WebSocket client',
  })
}
