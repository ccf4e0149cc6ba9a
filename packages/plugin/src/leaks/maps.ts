import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { piecesOf } from '@flash/compiler'
import type { Bodies } from './bodies.ts'

/** A source map, as far as it holds sources. */
export interface SourceTexts {
  sources?: (string | null)[]
  sourcesContent?: (string | null)[]
}

/**
 * The file with functions whose own text a source map holds; `null` for none.
 *
 * - `folder`: where the map will be.
 */
export function findBodyInMap(
  { sources = [], sourcesContent = [] }: SourceTexts,
  folder: string,
  bodies: readonly Bodies[],
): { file: string; piece: string } | null {
  for (const [index, source] of sources.entries()) {
    const content = sourcesContent[index]
    const owner = content && source && bodies.find(({ file }) => isSame(file, source, folder))
    if (!owner) continue
    const piece = [...piecesOf(content)].find((one) => owner.pieces.has(one))
    if (piece !== undefined) return { file: owner.file, piece }
  }
  return null
}

/** Whether a source of a map in `folder` is the file; where it leads nowhere, as a bundler may have its own idea of the folder, the end of it decides. */
export function isSame(file: string, source: string, folder: string): boolean {
  const path = resolve(folder, source).replaceAll('\\', '/')
  if (path === file || existsSync(path)) return path === file
  const tail = source.replaceAll('\\', '/').replace(/^(?:\.{0,2}\/)+/, '')
  return file.endsWith(`/${tail}`)
}

/** Of the text of a `.map` file; nothing for what is none. */
export function parseMap(text: string): SourceTexts {
  try {
    const map = JSON.parse(text) as SourceTexts | null
    return typeof map === 'object' && map !== null ? map : {}
  } catch {
    return {}
  }
}
