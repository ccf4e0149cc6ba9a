import type { AppError } from '@flash/protocol'

/** What is wrong with a build, each thing once, however many endpoints it is found in. */
export interface Problems {
  add(error: AppError): void
  list(): AppError[]
}

export function createProblems(): Problems {
  const found = new Map<string, AppError>()
  return {
    add(error) {
      const { code, at, message } = error
      const key = JSON.stringify([code, at, message])
      if (!found.has(key)) found.set(key, error)
    },
    list: () => [...found.values()],
  }
}

/**
 * Ends a build that has problems.
 *
 * - throws the problem itself when there is one, else an `AggregateError` with all of them, and the first in its message.
 */
export function throwProblems(problems: AppError[]): void {
  const [first, ...others] = problems
  if (!first) return
  if (others.length === 0) throw first
  throw new AggregateError(problems, `${first.message} (and ${others.length} more)`, { cause: first })
}
