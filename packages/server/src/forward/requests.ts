import type { ServerFunction } from '@flash/protocol'
import type { BalancedAddress, Registry } from '../address.ts'
import type { BackendRequest, RpcBackend } from '../backend.ts'
import { noWebSockets } from '../upgrade.ts'
import { type BalancedSender, sendBalanced, toSeat } from './balanced.ts'
import type { KnownFunctions } from './facts.ts'

export interface RequestForwardOptions {
  functions: KnownFunctions
  registry: Pick<Registry, 'findBalanced'>
  /** Made for the first request. */
  openSender(): BalancedSender
  /** What a request says of itself beside its own headers; throws for one that is not to be made. */
  headersOf?(request: BackendRequest, fact: ServerFunction): Record<string, string>
}

/** Sends requests to wherever their load-balanced endpoint answers. */
export function createRequestForward(
  options: RequestForwardOptions,
): Required<Pick<RpcBackend, 'fetch' | 'seat'>> {
  const { functions, registry, openSender, headersOf } = options
  const addressOf = ({ endpoint, id }: ServerFunction): Promise<BalancedAddress> =>
    registry.findBalanced(endpoint, id)
  return {
    async fetch(id, given) {
      const fact = functions.get(id)
      const headers = new Headers(given.headers)
      for (const [name, value] of Object.entries(headersOf?.(given, fact) ?? {})) headers.set(name, value)
      const request = { ...given, headers }
      const address = await addressOf(fact)
      if (address.kind === 'backend') return address.backend.fetch(id, request)
      return sendBalanced(openSender(), address, request, fact.kind)
    },
    async seat(id, signal) {
      const address = await addressOf(functions.get(id))
      if (address.kind !== 'backend') return toSeat(openSender(), address)
      if (address.backend.seat) return address.backend.seat(id, signal)
      throw noWebSockets()
    },
  }
}
