import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@flash/protocol'
import type { RunningEndpoint, Seat } from '../endpoints/types.ts'
import type { Answer } from '../http/answer.ts'
import { answerWith, type PlaneHost, signalOf, takeDamage, takeRefusal } from '../http/run.ts'
import { attend } from './caller.ts'
import { forward } from './forward.ts'
import { workerHeader } from './headers.ts'
import type { BalancedLimits } from './limits.ts'
import { notBalanced, refusalOfSeat, tooLarge } from './refuse.ts'
import { forwardUpgrade, refuseUpgrade } from './upgrade.ts'

export interface BalancedHost extends PlaneHost {
  clock: Clock
  limits: BalancedLimits
}

/** Workers' own HTTP, through the balancer. `path`: path and query as a worker gets them. */
export interface BalancedPlane {
  answer(
    endpoint: RunningEndpoint,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>
  upgrade(
    endpoint: RunningEndpoint,
    path: string,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void>
}

export function createBalancedPlane(host: BalancedHost): BalancedPlane {
  const { clock, limits, faults } = host
  return {
    answer(endpoint, path, request, response) {
      const { id, name } = endpoint.spec
      const place = { plane: 'balanced', endpoint: id, name } as const
      return answerWith(host, place, response, async () => {
        if (endpoint.spec.kind === 'queue') return notBalanced
        if (Number(request.headers['content-length'] ?? 0) > limits.bytes) return tooLarge(limits.bytes)
        const found = await findSeat(endpoint, request, signalOf(response), limits)
        if (!('seat' in found)) return found.refused
        const { seat } = found
        const damage = () => takeDamage(faults, place)
        try {
          await forward({ seat, path, request, response, clock, limits, damage })
        } finally {
          seat.release()
        }
        return null
      })
    },
    async upgrade(endpoint, path, request, socket, head) {
      const { id, name, kind } = endpoint.spec
      const refused =
        takeRefusal(faults, { plane: 'balanced', endpoint: id, name }) ??
        (kind === 'queue' ? notBalanced : null)
      if (refused) return refuseUpgrade(socket, refused)
      const caller = attend(socket, head)
      const found = await findSeat(endpoint, request, caller.signal, limits)
      if (!('seat' in found))
        return found.refused ? refuseUpgrade(socket, found.refused) : void socket.destroy()
      try {
        await forwardUpgrade({ seat: found.seat, path, request, caller, clock, limits })
      } finally {
        found.seat.release()
      }
    },
  }
}

/** `refused` is `null` when the caller is gone. */
async function findSeat(
  endpoint: RunningEndpoint,
  request: IncomingMessage,
  signal: AbortSignal,
  limits: BalancedLimits,
): Promise<{ seat: Seat } | { refused: Answer | null }> {
  const affinity = request.headers[workerHeader.toLowerCase()]
  try {
    const seat = await endpoint.seat({
      affinity: typeof affinity === 'string' ? affinity : undefined,
      signal,
    })
    if (!signal.aborted) return { seat }
    seat.release()
    return { refused: null }
  } catch (error) {
    if (signal.aborted) return { refused: null }
    const refused = refusalOfSeat(error, limits)
    if (refused) return { refused }
    throw error
  }
}
