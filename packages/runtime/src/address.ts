import { endpointVariable, RemoteError } from '@flash/protocol'
import { findBundles, findBundlesServer } from './bundles.ts'
import { findDev, findDevServer } from './dev.ts'
import type { LocalServer } from './nearby.ts'
import type { EndpointInfo, Post } from './types.ts'

/** Where a function answers now; throws `ENDPOINT_NOT_DEPLOYED` when nowhere. */
export async function findAddress(id: string, info: EndpointInfo): Promise<Post> {
  const found = findDev(id, info) ?? findBundles(id)
  if (found) return found
  throw nowhere(info)
}

/** Where that listens; throws also `WEBSOCKET_UNSUPPORTED`. */
export async function findServer(id: string, info: EndpointInfo): Promise<LocalServer> {
  const open = findDevServer(id, info) ?? findBundlesServer(id)
  if (open) return open()
  throw nowhere(info)
}

/** Whoever gets this was compiled to run beside a dev server, or in a worker. */
function nowhere({ name, at }: EndpointInfo): RemoteError {
  const { process } = globalThis as { process?: NodeJS.Process }
  const about = `endpoint "${name}" (${at}) has no address here`
  if (process?.env?.NODE_ENV === 'production') {
    return new RemoteError(
      'ENDPOINT_NOT_DEPLOYED',
      `${about}: this is a production process (NODE_ENV), which does not look for a dev server`,
      {
        hint: `build the code that calls it with the plugin; then ${endpointVariable(name)} or the account says where it answers`,
      },
    )
  }
  return new RemoteError('ENDPOINT_NOT_DEPLOYED', `${about}: no dev server of this project was found`, {
    hint: 'start the dev server (`vite dev`) in this project, or build the code that calls it with the plugin',
  })
}
