import type { ClientAddress } from './address.ts'
import type { BodyOptions } from './types.ts'

export type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'

/** One request to a load-balanced endpoint. */
export interface BalancedCall {
  /** What messages call the endpoint. */
  label: string
  address: ClientAddress
  verb: Verb
  path: string
  options: BodyOptions
}

/** Verbs that change nothing, so that a second try does no harm. */
export function isSafe(verb: Verb): boolean {
  return verb === 'GET' || verb === 'HEAD' || verb === 'OPTIONS'
}
