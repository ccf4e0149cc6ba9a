import type { BackendSeat } from '../backend.ts'
import type { FetchTarget } from './fetch-target.ts'

/** What callers offer beside their own subprotocols, and are given when the endpoint chooses none of those. */
export const PROTOCOL = 'flash.v1'

/** Where a WebSocket is opened, with http or https. */
export function toSocketUrl({ url, isRelay }: BackendSeat, { path, query }: FetchTarget): string {
  return isRelay ? `${url}?path=${encodeURIComponent(`${path}${query}`)}` : `${url}${path}${query}`
}
