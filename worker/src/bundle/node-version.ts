import { AppError, type BundleInfo } from '@flash/protocol'
import type { BundleProcess } from './types.ts'

/** A Node that is older than the one a bundle is made for may run it nevertheless. */
const ANY_NODE = 'FLASH_ANY_NODE'

/** A bundle has code that only its own Node, and later ones, can be expected to run; throws `NODE_MISMATCH`. */
export function checkNode(
  { endpoint, node }: BundleInfo,
  { version, env }: Pick<BundleProcess, 'version' | 'env'>,
): void {
  const major = Number(/^v(\d+)/.exec(version)?.[1])
  if (major >= node || env[ANY_NODE]) return
  throw new AppError('NODE_MISMATCH', {
    message: `the bundle of "${endpoint}" is made for Node ${node}, and this is Node ${version.slice(1)}`,
    hint: `use an image with Node ${node}, or set ${ANY_NODE}=1 to run it nevertheless`,
  })
}
