import type { ServerFacts } from '@flash/protocol'
import { bindServerStubs, type ServerStubs } from '@flash/runtime/server'
import { openBuild } from './address/build.ts'
import { createForwardBackend, type ForwardOptions } from './forward.ts'
import { postTo } from './post-to.ts'

/**
 * The stubs of server code that was built: their calls go through the app's own route without leaving the process,
 * and from there to wherever the endpoint answers.
 *
 * - `key`: the project key, base64url.
 * - the first call makes what all calls use.
 */
export function bindServer(
  facts: ServerFacts,
  key: string,
  options: Omit<ForwardOptions, 'facts'> = {},
): ServerStubs {
  const open = () => createForwardBackend({ local: openBuild, ...options, facts })
  return bindServerStubs(postTo(open, { key: Buffer.from(key, 'base64url'), clock: options.clock }))
}
