import { AppError } from '@flash/protocol'

/** What is asked for does not exist; texts of clients' look-ups contain "not found". */
export function notFound(what: string, id: string): AppError {
  return new AppError('NOT_FOUND', {
    message: `${what} not found: ${short(id)}`,
    hint: 'list what exists, and use one of those ids',
    data: { id: short(id) },
  })
}

/** What is asked for conflicts with what exists, or with itself. */
export function refused(message: string, hint?: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint })
}

/** Fields of the request have values that are not allowed; each issue names its path. */
export function invalid(issues: string[]): AppError {
  return new AppError('BAD_INPUT', {
    message: issues.length === 1 ? issues[0]! : `${issues.length} fields are not valid: ${issues.join('; ')}`,
    hint: 'correct the fields that are named',
    data: { issues },
  })
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
