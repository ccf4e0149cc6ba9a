import { AppError } from '@flash/protocol'
import type { Visit } from './visit.ts'

/** What went wrong at a request, for the log of its worker: ours by its sentence, all others by their stack. */
export function describeFault({ method, pathname, id }: Visit, error: unknown): string {
  return `${method} ${pathname.slice(0, 200)}, request ${id}:\n${describe(error)}\n`
}

function describe(error: unknown): string {
  // Taken from the process: where tests stand in for a browser, `node:` imports do not resolve.
  const { inspect } = process.getBuiltinModule('node:util')
  if (!(error instanceof AppError)) return inspect(error)
  const { code, message, hint, cause } = error
  const lines = [`${code}: ${message}`, hint, cause !== undefined && inspect(cause)]
  return lines.filter(Boolean).join('\n  ')
}
