import { postInside, postOver, runtimesIn } from './nearby.ts'
import type { Post } from './types.ts'

/** The host of the built bundles that runs a function: in this process, or the one that started it. */
export function findBundles(id: string): Post | undefined {
  const runtime = [...runtimesIn('unplugin-flash.bundles').values()].find((one) => one.has(id))
  if (runtime) return postInside(runtime)
  const { process } = globalThis as { process?: NodeJS.Process }
  const { FLASH_LOCAL_URL: url, FLASH_LOCAL_TOKEN: token } = process?.env ?? {}
  return url && token ? postOver({ url, token }) : undefined
}
