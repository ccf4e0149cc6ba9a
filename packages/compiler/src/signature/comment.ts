import type { ParsedModule } from '../parse.ts'

/** The text of the JSDoc comment directly above a place, up to its first tag; `null` when there is none. */
export function findDescription({ comments, code }: ParsedModule, start: number): string | null {
  const comment = comments.findLast(({ end }) => end <= start)
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return null
  if (code.slice(comment.end, start).trim() !== '') return null
  const lines = comment.value.slice(1).split(/\r?\n/)
  const text = lines.map((line) => line.replace(/^\s*\*? ?/, '').trimEnd()).join('\n')
  return text.split(/^\s*@/m, 1)[0]!.trim() || null
}
