import { walk } from 'oxc-walker'
import { packageName } from './follow.ts'
import { rewriteModule } from './transform/rewrite.ts'
import type { ModuleAnalysis } from './types.ts'

/** Shorter texts are everywhere. */
const LEAST_CHARACTERS = 12

/**
 * Text that a module has and its stub in a browser has not: pieces of string and template literals of 12 characters or more.
 *
 * Bundlers rename and reorder code; what stands in quotes stays.
 */
export function findRemovedText(analysis: ModuleAnalysis): Set<string> {
  const { code } = rewriteModule(analysis, { kind: 'client', tag: () => '' })
  const kept = piecesOf(code).add(packageName)
  const removed = new Set<string>()
  walk(analysis.parsed.program, {
    enter(node) {
      for (const piece of longOnes(textOf(node).split(/["'`{}\r\n\t\\]/)))
        if (!kept.has(piece)) removed.add(piece)
    },
  })
  return removed
}

function textOf(node: { type: string }): string {
  const { value } = node as { value?: unknown }
  if (node.type === 'Literal') return typeof value === 'string' ? value : ''
  return node.type === 'TemplateElement' ? ((value as { cooked: string | null }).cooked ?? '') : ''
}

/** What stands between quotes, line ends and escapes in code, pages and source maps. */
export function piecesOf(code: string): Set<string> {
  return new Set(longOnes(code.split(/\\[nrt]|\$?\{|["'`}\r\n\t\\]/)))
}

function longOnes(pieces: string[]): string[] {
  return pieces.map((piece) => piece.trim()).filter(({ length }) => length >= LEAST_CHARACTERS)
}
