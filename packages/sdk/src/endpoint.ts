import type { Api } from './balanced/api.ts'
import type { WebSource, WebStub } from './balanced/web.ts'
import { createClient } from './client/client.ts'
import { pluginMissing } from './client/config.ts'
import type {
  ClientByImage,
  ClientConfig,
  EndpointClient,
  InputUnder,
  OutputUnder,
  UncheckedConfig,
  UncheckedImage,
} from './client/types.ts'
import type { CheckConfig } from './config/rules.ts'
import type { EndpointConfig } from './config/types.ts'
import type { StateOf } from './stub.ts'

/** What `setup` leaves for handlers. */
type GivenBy<C> = [StateOf<C>] extends [never] ? unknown : StateOf<C>

/**
 * A client of an endpoint that exists: `{ id }` of the account, or `{ app, name }` of another app on it, whoever deployed that.
 *
 * - `input`, `output`: Standard Schemas that check and type what is sent and what comes back; or `endpoint<Input, Output>(…)`.
 * - the key is `RUNPOD_API_KEY` of the process, so clients are for servers, workers and scripts. In a page every member rejects with
 *   `CLIENT_SERVER_ONLY`.
 * - while developing calls reject with `EXTERNAL_ENDPOINT`, unless the config says `dev: { target: 'live' }`.
 * - throws `BAD_CONFIG`; nothing is sent before a member is used.
 */
export function endpoint<const C extends ClientConfig>(
  config: C,
): EndpointClient<InputUnder<C>, OutputUnder<C>>
export function endpoint<Input, Output>(config: UncheckedConfig): EndpointClient<Input, Output>
/**
 * A whole web app that runs on an endpoint.
 *
 * - `config`: the machine and how it scales.
 * - `web`: anything with `fetch(request)`, written here or imported from another module, or a function that returns one.
 *
 * The plugin replaces the call; where it runs as written it throws `PLUGIN_MISSING`.
 */
export function endpoint<const C extends EndpointConfig>(
  config: C & CheckConfig<C, 'balanced'>,
  web: WebSource,
): WebStub
/**
 * A client of an endpoint of this app that runs a container image of one's own.
 *
 * - it is where `FLASH_ENDPOINT_<NAME>` says, else on the account, in the app that `FLASH_APP` names.
 * - while developing the first call starts it in Docker, unless that variable is set or the config says `dev: { target: 'live' }`:
 *   one container for jobs, one for requests. Calls reject with `NEEDS_DOCKER` without an engine, with `IMAGE_FAILED` when it ends
 *   or does not get ready.
 */
export function endpoint<const C extends ClientByImage>(
  config: C & CheckConfig<C, 'image'>,
): EndpointClient<InputUnder<C>, OutputUnder<C>>
export function endpoint<Input = never, Output = unknown>(
  config: UncheckedImage<Input>,
): EndpointClient<Input, Output>
/**
 * A load-balanced endpoint, to which routes are added: `api.post('/items/:id', handler, { body: schema })`.
 *
 * The plugin replaces the call; where it runs as written it throws `PLUGIN_MISSING`.
 */
export function endpoint<const C extends EndpointConfig>(
  config: C & CheckConfig<C, 'balanced'>,
): Api<GivenBy<C>>
export function endpoint(config: unknown, web?: unknown): unknown {
  if (web !== undefined) throw pluginMissing('endpoint() with a web app')
  return createClient(config)
}
