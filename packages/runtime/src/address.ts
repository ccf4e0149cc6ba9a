import { RemoteError } from '@flash/protocol'
import { findDev } from './dev.ts'
import type { EndpointInfo, Post } from './types.ts'

/** One place to look for a function; nothing when it is not there. */
type Finder = (id: string, info: EndpointInfo) => Post | undefined | Promise<Post | undefined>

/** In the order of looking. */
const finders: readonly Finder[] = [findDev]

/** Where a function answers now; throws `ENDPOINT_NOT_DEPLOYED` when nowhere. */
export async function findAddress(id: string, info: EndpointInfo): Promise<Post> {
  for (const find of finders) {
    const found = await find(id, info)
    if (found) return found
  }
  throw new RemoteError(
    'ENDPOINT_NOT_DEPLOYED',
    `endpoint "${info.name}" (${info.at}) has no address: no dev server of this project runs, and it is not deployed`,
    { hint: 'start the dev server (`vite dev`) in this project; production processes do not look for one' },
  )
}
