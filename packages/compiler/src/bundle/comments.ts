import type { ParsedModule } from '../parse.ts'
import type { Span } from '../span.ts'

/** What stands before the statements that hold these places, and behind them in the same line. */
export function commentsAround({ program, code }: ParsedModule, places: Span[]): Span[] {
  return program.body.flatMap((statement, index) => {
    const { start, end } = statement
    if (!places.some((place) => place.start >= start && place.end <= end)) return []
    const before = program.body[index - 1]?.end ?? 0
    const lineEnd = code.indexOf('\n', end)
    const after = Math.min(program.body[index + 1]?.start ?? code.length, lineEnd < 0 ? code.length : lineEnd)
    return [
      { start: before, end: start },
      { start: end, end: after },
    ]
  })
}
