import type { ErrorCode } from '../codes.ts'
import { AppError } from '../error.ts'
import type { SourcePosition } from '../facts.ts'

/** From the config itself: `['volumes', '1', 'sizeGb']`. */
export type Path = readonly string[]

/** One thing that is wrong with a config. */
export interface ConfigProblem {
  code: ErrorCode
  /** `volumes[1].sizeGb`; empty for the config itself. */
  path: string
  at?: SourcePosition
  /** What is written there, cut to 60 characters; absent for a field that may hold a secret. */
  value?: string
  /** What is wrong and what is allowed, as the end of a sentence that begins with the path. */
  message: string
}

export interface Problems {
  /**
   * Notes a problem and goes on.
   *
   * - `value`: what is written; leave it out where it may be a secret or says nothing.
   */
  add(path: Path, message: string, options?: { code?: ErrorCode; value?: unknown }): void
  throwIfAny(): void
}

export function createProblems(locate: (path: string[]) => SourcePosition | undefined): Problems {
  const found: ConfigProblem[] = []
  return {
    add(path, message, { code = 'BAD_CONFIG', value } = {}) {
      const at = locateNearest(locate, path)
      found.push({
        code,
        path: formatPath(path),
        ...(at && { at }),
        ...(value !== undefined && { value: show(value) }),
        message,
      })
    },
    throwIfAny() {
      if (found.length > 0) throw toError(found)
    },
  }
}

/** A field that is missing or came by a spread has no place of its own: the object it belongs in has. */
function locateNearest(locate: (path: string[]) => SourcePosition | undefined, path: Path) {
  for (let length = path.length; length >= 0; length--) {
    const at = locate(path.slice(0, length))
    if (at) return at
  }
  return undefined
}

export function formatPath(path: Path): string {
  return path.map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')
}

function show(value: unknown): string {
  let text: string | undefined
  try {
    text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  } catch {
    // A cycle or a bigint: the type alone has to do.
  }
  text ??= Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function toSentence({ at, path, value, message }: ConfigProblem): string {
  const place = at ? `${at.file}:${at.line}:${at.column} ` : ''
  const subject = [path || 'the endpoint config', value].filter((part) => part !== undefined).join(': ')
  return `${place}${subject} ${message}`
}

function toError(problems: ConfigProblem[]): AppError {
  const [first] = problems as [ConfigProblem]
  const sentences = problems.map(toSentence)
  return new AppError(problems.every(({ code }) => code === first.code) ? first.code : 'BAD_CONFIG', {
    message:
      sentences.length === 1
        ? sentences[0]!
        : `${sentences.length} things in an endpoint config are not allowed:\n${sentences.map((line) => `  ${line}`).join('\n')}`,
    hint: 'every field, its default and its limits are in the config reference',
    ...(first.at && { at: first.at }),
    data: { problems },
  })
}
