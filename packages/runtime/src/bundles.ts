import { type LocalPlace, openPlace, type OpenServer, postInside, postOver, runtimesIn } from './nearby.ts'
import type { Post } from './types.ts'

/** The host of the built bundles that runs a function: in this process, or the one that started it. */
export function findBundles(id: string): Post | undefined {
  const place = findPlace(id)
  return place && ('fetch' in place ? postInside(place) : postOver(place))
}

/** Where that host listens. */
export function findBundlesServer(id: string): OpenServer | undefined {
  return openPlace(findPlace(id))
}

function findPlace(id: string): LocalPlace | undefined {
  const runtime = [...runtimesIn('unplugin-flash.bundles').values()].find((one) => one.has(id))
  if (runtime) return runtime
  const { process } = globalThis as { process?: NodeJS.Process }
  const { FLASH_LOCAL_URL: url, FLASH_LOCAL_TOKEN: token } = process?.env ?? {}
  return url && token ? { url, token } : undefined
}
