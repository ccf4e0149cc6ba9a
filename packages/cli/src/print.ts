import { AppError } from '@flash/protocol'

/** What was typed cannot be meant; nothing was done. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** An error for a terminal: code, sentence, and the next step below it. */
export function printError(error: unknown): string {
  if (error instanceof AppError)
    return [`flash: ${error.code}: ${error.message}`, error.hint && `  ${error.hint}`]
      .filter(Boolean)
      .join('\n')
  if (error instanceof UsageError) return `flash: ${error.message}`
  return `flash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

/** The same for a program, in one line. */
export function printErrorJson(error: unknown): string {
  const { code, message, hint } = error as Partial<AppError>
  const ours = error instanceof AppError
  return JSON.stringify({
    error: {
      code: ours ? code : error instanceof UsageError ? 'USAGE' : 'INTERNAL',
      message: message ?? String(error),
      hint,
    },
  })
}
