import { inspect } from 'node:util'
import { AppError } from '@flash/protocol'

/** An error for whoever sits at the terminal: ours by its sentence, all others by their stack. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof AppError)) return inspect(error)
  const { code, message, hint, at, cause } = error
  const place = at && `at ${at.file}:${at.line}:${at.column}`
  const lines = [`${code}: ${message}`, place, hint, cause instanceof Error && inspect(cause)]
  return lines.filter(Boolean).join('\n  ')
}
