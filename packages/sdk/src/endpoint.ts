import { createClient } from './client/client.ts'
import type {
  ClientConfig,
  EndpointClient,
  InputUnder,
  OutputUnder,
  UncheckedConfig,
} from './client/types.ts'

/**
 * A client of an endpoint that exists: `{ id }` of the account, or `{ app, name }` of another app on it, whoever deployed that.
 *
 * - `input`, `output`: Standard Schemas that check and type what is sent and what comes back; or `endpoint<Input, Output>(…)`.
 * - the key is `RUNPOD_API_KEY` of the process, so clients are for servers, workers and scripts. In a page every member rejects with
 *   `CLIENT_SERVER_ONLY`.
 * - while developing calls reject with `EXTERNAL_ENDPOINT`, unless the config says `dev: { target: 'live' }`.
 * - throws `BAD_CONFIG`, and `NOT_AVAILABLE` for what is no client; nothing is sent before a member is used.
 */
export function endpoint<const C extends ClientConfig>(
  config: C,
): EndpointClient<InputUnder<C>, OutputUnder<C>>
export function endpoint<Input, Output>(config: UncheckedConfig): EndpointClient<Input, Output>
export function endpoint(config: ClientConfig): EndpointClient<any, any> {
  return createClient(config)
}
