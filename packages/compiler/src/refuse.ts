import { AppError, type ErrorCode } from '@flash/protocol'
import type { ParsedModule } from './parse.ts'
import type { Span } from './span.ts'

/** A module and what errors call it: its path from the project root. */
export interface Source {
  parsed: ParsedModule
  shown: string
}

export interface Refusal {
  code: ErrorCode
  message: string
  hint: string
}

/** An error, or a warning, at a place in source text. */
export function refuse({ parsed, shown }: Source, { start, end }: Span, refusal: Refusal): AppError {
  const { code, message, hint } = refusal
  // A marker below a whole function says less than one below its first line.
  const line = /[\r\n]/.exec(parsed.code.slice(start, end))
  const markEnd = line ? start + line.index : end
  return new AppError(code, {
    message,
    hint,
    at: parsed.position(start, shown),
    frame: parsed.frame(start, markEnd),
  })
}

/** Problems of one module, so that the first in the text is the one that is told. */
export interface Findings {
  problems: { offset: number; error: AppError }[]
  warnings: AppError[]
}

export function createFindings(): Findings {
  return { problems: [], warnings: [] }
}

export function addProblem({ problems }: Findings, source: Source, span: Span, refusal: Refusal): void {
  problems.push({ offset: span.start, error: refuse(source, span, refusal) })
}

export function throwFirst({ problems }: Findings): void {
  const [first] = problems.sort((a, b) => a.offset - b.offset)
  if (first) throw first.error
}
