import { piecesOf } from '@flash/compiler'
import type { Bodies } from './bodies.ts'

/** A source map, as far as it holds sources. */
export interface SourceTexts {
  sources?: (string | null)[]
  sourcesContent?: (string | null)[]
}

/** The file with functions whose own text a source map holds; `null` for none. */
export function findBodyInMap(
  { sources = [], sourcesContent = [] }: SourceTexts,
  bodies: readonly Bodies[],
): { file: string; piece: string } | null {
  for (const [index, source] of sources.entries()) {
    const content = sourcesContent[index]
    const owner = content && source && bodies.find(({ file }) => isSame(file, source))
    if (!owner) continue
    const piece = [...piecesOf(content)].find((one) => owner.pieces.has(one))
    if (piece !== undefined) return { file: owner.file, piece }
  }
  return null
}

/** Sources are relative to wherever the map is. */
export function isSame(file: string, source: string): boolean {
  const tail = source.replaceAll('\\', '/').replace(/^(?:\.{0,2}\/)+/, '')
  return file === source || file.endsWith(`/${tail}`)
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
