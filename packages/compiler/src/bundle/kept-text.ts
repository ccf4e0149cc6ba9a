import type { Span } from '../span.ts'
import { decodeMappings } from './mappings.ts'

/**
 * The original text of an edited module with blanks for what the edit took away, every line and column where it was.
 *
 * A source map shows originals whole, and with them what belongs to other endpoints.
 *
 * - `hidden`: what is not to be seen although the edit left it.
 */
export function keptText(
  original: string,
  edited: { code: string; map: { mappings: string } },
  hidden: Span[] = [],
): string {
  const starts = lineStarts(original)
  const lines = edited.code.split('\n')
  const kept = new Uint8Array(original.length)
  for (const [index, segments] of decodeMappings(edited.map.mappings).entries()) {
    for (const [position, { column, line, sourceColumn }] of segments.entries()) {
      const text = lines[index]!.slice(column, segments[position + 1]?.column)
      const from = starts[line]! + sourceColumn
      for (let at = 0; at < text.length && original[from + at] === text[at]; at++) kept[from + at] = 1
    }
  }
  for (const { start, end } of hidden) kept.fill(0, start, end)
  return [...splitRuns(original, kept)].join('').replace(/ +$/gm, '')
}

function* splitRuns(original: string, kept: Uint8Array): Generator<string> {
  for (let start = 0; start < original.length; ) {
    let end = start + 1
    while (end < original.length && kept[end] === kept[start]) end++
    const run = original.slice(start, end)
    yield kept[start] ? run : run.replace(/[^\r\n]/g, ' ')
    start = end
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
