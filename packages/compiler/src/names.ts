import { checkEndpointName } from '@flash/protocol'

/** Where a module lives: its package and the path from that package's root, with `/`. */
export interface ModulePlace {
  path: string
  /** Only for a package that is not the project's own. */
  package?: string
}

/**
 * `{file_prefix}` of the routes: the path without its last extension, a leading `src/` and a trailing `/index`.
 *
 * ```text
 * src/receipt.ts      receipt
 * src/index.ts        index
 * lib/ai/index.mts    lib/ai
 * @acme/ml + src/a.ts @acme/ml/a
 * ```
 *
 * Not percent-encoded: an address encodes each segment.
 */
export function filePrefix(place: ModulePlace): string {
  const bare = place.path
    .replace(/(?<=[^/])\.[^./]+$/, '')
    .replace(/^src\//, '')
    .replace(/\/index$/, '')
  return place.package === undefined ? bare : `${place.package}/${bare}`
}

/**
 * The name of an endpoint whose config has none, made of the place of the function alone.
 *
 * ```text
 * receipt + read      receipt-read
 * lib/ocr + default   lib-ocr
 * lib/ocr + ocr       lib-ocr
 * ai + default        ai-default
 * live/x + read       fn-live-x-read
 * ```
 *
 * The result can still be a name that is not allowed (a path with `[id]`): `checkEndpointName` tells.
 */
export function deriveEndpointName(prefix: string, exportPath: string): string {
  const base = prefix.replaceAll('/', '-')
  const last = prefix.slice(prefix.lastIndexOf('/') + 1)
  const alone = (exportPath === 'default' || exportPath === last) && base.length >= 3
  const name = alone ? base : `${base}-${exportPath}`
  return checkEndpointName(name) === undefined ? name : `fn-${name}`
}

/** What makes two names the same endpoint: folders and accounts ignore case. */
export function nameKey(name: string): string {
  return name.toLowerCase()
}
