import { dirname, join } from 'node:path'
import type { PluginContext } from '../context.ts'
import { isSame, parseMap, type SourceTexts } from './maps.ts'

/** An asset or chunk whose text may be replaced. */
interface MapFile {
  fileName: string
  code?: string
  map?: SourceTexts | null
  source?: string | Uint8Array
}

/**
 * Leaves in source maps only the stubs of files with functions.
 *
 * A plugin that changed a file before us brings the text it began with, and bundlers put that into their maps.
 */
export function stripMaps(context: PluginContext, outDir: string, files: MapFile[]): void {
  for (const file of files) {
    const folder = dirname(join(outDir, file.fileName))
    if (file.map) strip(context, folder, file.map)
    if (file.code !== undefined || !file.fileName.endsWith('.map') || file.source === undefined) continue
    const text = typeof file.source === 'string' ? file.source : new TextDecoder().decode(file.source)
    const map = parseMap(text)
    if (strip(context, folder, map)) file.source = JSON.stringify(map)
  }
}

/** Whether something had to go. */
function strip(
  { stubs }: PluginContext,
  folder: string,
  { sources = [], sourcesContent }: SourceTexts,
): boolean {
  if (!sourcesContent) return false
  let isChanged = false
  for (const [index, source] of sources.entries()) {
    const owner = source && [...stubs.keys()].find((file) => isSame(file, source, folder))
    if (!owner || sourcesContent[index] === stubs.get(owner)) continue
    sourcesContent[index] = stubs.get(owner)!
    isChanged = true
  }
  return isChanged
}
