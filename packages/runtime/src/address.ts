import { endpointVariable, RemoteError } from '@flash/protocol'
import { findBundles } from './bundles.ts'
import { findDev } from './dev.ts'
import type { EndpointInfo, Post } from './types.ts'

/** One place to look for a function; nothing when it is not there. */
type Finder = (id: string, info: EndpointInfo) => Post | undefined | Promise<Post | undefined>

/** In the order of looking. */
const finders: readonly Finder[] = [findDev, findBundles]

/** Where a function answers now; throws `ENDPOINT_NOT_DEPLOYED` when nowhere. */
export async function findAddress(id: string, info: EndpointInfo): Promise<Post> {
  for (const find of finders) {
    const found = await find(id, info)
    if (found) return found
  }
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
