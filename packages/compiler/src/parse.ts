import { AppError, type SourcePosition } from '@flash/protocol'
import { parseSync, type Comment, type Expression, type Node, type Program } from 'oxc-parser'
import { type ModuleTable, readTable } from './bindings.ts'
import { codeFrame } from './frame.ts'

/** One module's text, parsed once; nothing in it changes afterwards. */
export interface ParsedModule extends ModuleTable {
  /** Absolute file without query. */
  file: string
  code: string
  program: Program
  comments: Comment[]
  /** Line and column of a UTF-16 offset, both from 1; `file` is the module's own unless given. */
  position(offset: number, file?: string): SourcePosition
  /** The lines around an offset, with a marker below. */
  frame(offset: number, end?: number): string
}

type Lang = 'js' | 'jsx' | 'ts' | 'tsx' | 'dts'

/** Modules kept parsed: enough for the ones being edited and the barrels and constants around them. */
const KEPT = 256
const cache = new Map<string, ParsedModule>()

/**
 * Parses a module, or answers from memory when file and text are the same as before.
 *
 * - `file`: the language comes from `lang.` in its query, else from its extension; the query is otherwise ignored.
 * - `shown`: what an error calls the file, `file` itself unless given.
 * - throws `SYNTAX_ERROR` with position and code frame.
 */
export function parseModule(code: string, file: string, shown?: string): ParsedModule {
  const kept = cache.get(file)
  if (kept?.code === code) return kept
  const parsed = parse(code, file, shown)
  cache.delete(file)
  cache.set(file, parsed)
  if (cache.size > KEPT) cache.delete(cache.keys().next().value as string)
  return parsed
}

function parse(code: string, id: string, shown?: string): ParsedModule {
  const file = withoutQuery(id)
  const position = createPosition(code, file)
  const frame = (offset: number, end?: number) => codeFrame(code, offset, end)
  const sourceType = /\.c[jt]s$/.test(file) ? 'commonjs' : 'module'
  const result = parseSync(file, code, { lang: languageOf(id), sourceType })
  const error = result.errors.find(({ severity }) => severity === 'Error')
  if (error) {
    const offset = error.labels[0]?.start ?? 0
    throw new AppError('SYNTAX_ERROR', {
      message: error.message,
      hint: error.helpMessage ?? 'correct the syntax; the module is read again as soon as it is saved',
      at: position(offset, shown),
      frame: frame(offset, error.labels[0]?.end),
    })
  }
  const { program, comments } = result
  return { file, code, program, comments, position, frame, ...readTable(program) }
}

/** `src/a.ts?vue&lang.ts` → `src/a.ts`. */
export function withoutQuery(id: string): string {
  const at = id.indexOf('?')
  return at < 0 ? id : id.slice(0, at)
}

export function languageOf(id: string): Lang {
  const asked = /[?&]lang[.=]([jt]sx?)(?:&|$)/.exec(id)?.[1]
  if (asked) return asked as Lang
  const file = withoutQuery(id)
  if (/\.d\.[cm]?ts$/.test(file)) return 'dts'
  if (/\.[cm]?ts$/.test(file)) return 'ts'
  // Only TypeScript makes `<T>x` ambiguous, so plain JavaScript may always contain JSX.
  return file.endsWith('.tsx') ? 'tsx' : 'jsx'
}

function createPosition(code: string, ownFile: string): ParsedModule['position'] {
  let starts: number[] | undefined
  return (offset, file = ownFile) => {
    starts ??= lineStarts(code)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { file, line: low + 1, column: Math.max(0, offset - starts[low]!) + 1 }
  }
}

/** Offsets at which lines begin; a byte order mark belongs to no column. */
function lineStarts(code: string): number[] {
  const starts = [code.charCodeAt(0) === 0xfe_ff ? 1 : 0]
  for (const match of code.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length)
  return starts
}

/** The expression inside parentheses, `as`, `satisfies`, `!`, `<T>x` and `f<T>`. */
export function peel<T extends Node>(node: T): Exclude<T, Wrapper> | Exclude<Expression, Wrapper> {
  let current: Node = node
  while (isWrapper(current)) current = current.expression
  return current as Exclude<T, Wrapper>
}

type Wrapper = Extract<
  Node,
  {
    type:
      | 'ParenthesizedExpression'
      | 'TSAsExpression'
      | 'TSSatisfiesExpression'
      | 'TSNonNullExpression'
      | 'TSTypeAssertion'
      | 'TSInstantiationExpression'
  }
>

const wrappers = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'TSInstantiationExpression',
])

export function isWrapper(node: Node): node is Wrapper {
  return wrappers.has(node.type)
}
