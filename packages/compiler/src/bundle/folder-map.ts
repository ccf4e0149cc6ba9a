import { relative, resolve } from 'node:path'
import { isInstalled, toPosix } from '../locate.ts'
import { MAP_FOLDER } from './engine.ts'
import type { OwnModules } from './own.ts'
import type { SourceMapInput } from './source-map.ts'

export interface MapOptions {
  root: string
  own: OwnModules
  /** The text to show for a file, as JSON in UTF-8. */
  shownText(file: string): Buffer | null
}

/**
 * The map of a bundle as it lies in `.flash/build/<endpoint>/`, the same whatever folder the project is in.
 *
 * - sources are relative to that folder; packages that lie outside of the project are named as if they were in its `node_modules`.
 */
export function toBundleMap(
  { sources = [], names = [], mappings }: SourceMapInput,
  options: MapOptions,
): Buffer {
  const files = sources.map((source) => toFile(source, options.root))
  const shown = files.map((file, index) =>
    file === null ? nameOf(sources[index]) : showSource(file, options),
  )
  // Put together from pieces: the texts of packages are long, and the same in the maps of all endpoints.
  const texts = files.flatMap((file, index) => [
    Buffer.from(index > 0 ? ',' : ''),
    (file !== null && options.shownText(file)) || Buffer.from('null'),
  ])
  return Buffer.concat([
    Buffer.from(`{"version":3,"file":"main.mjs","sources":${JSON.stringify(shown)},"sourcesContent":[`),
    ...texts,
    Buffer.from(`],"names":${JSON.stringify(names)},"mappings":"${mappings}"}`),
  ])
}

/** `null` for a module that is no file. */
function toFile(source: string | null | undefined, root: string): string | null {
  if (!source || source.includes('\0') || /^[a-z][\w+.-]+:/i.test(source)) return null
  return toPosix(resolve(root, MAP_FOLDER, source))
}

function nameOf(source: string | null | undefined): string {
  return (source ?? '').replaceAll('\0', '')
}

function showSource(file: string, { root, own }: MapOptions): string {
  if (own.includes(file)) return `../../../node_modules/unplugin-flash/${own.pathOf(file)}`
  const path = toPosix(relative(root, file))
  const isOutside = path.startsWith('../') && isInstalled(root, file)
  return `../../../${isOutside ? `node_modules/${file.split('/node_modules/').at(-1)!}` : path}`
}
