import { createRedact } from '@flash/protocol'
import type { QueueAddress } from '@flash/runtime/server'
import type { BodyOptions } from './types.ts'

/** What is sent to an endpoint: which of the two it takes, only it knows. */
export type Use = 'queue' | 'balanced'

/** What an address is looked for. */
export interface Need {
  use: Use
  /** Nobody waits for it any more. */
  signal?: AbortSignal
}

/** Where an endpoint answers; without a queue, the URL that paths are added to. */
export interface ClientAddress extends QueueAddress {
  /** Nothing of the platform is in between. */
  isDirect?: boolean
}

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

/** Without the key that the request had. */
export function redactFor({ address: { key } }: BalancedCall, text: string): string {
  return createRedact(key === undefined ? [] : [key])(text)
}

/** Verbs that change nothing, so that a second try does no harm. */
export function isSafe(verb: Verb): boolean {
  return verb === 'GET' || verb === 'HEAD' || verb === 'OPTIONS'
}
