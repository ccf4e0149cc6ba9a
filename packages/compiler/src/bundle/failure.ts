import { SourceMap, type SourceMapPayload } from 'node:module'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { AppError } from '@flash/protocol'
import { frameAt } from '../frame-at.ts'
import { parseModule } from '../parse.ts'
import { codeEnding, isFile } from './files.ts'
import { splitQuery } from './specifier.ts'

/** What engines put on what they throw. */
interface EngineError extends Error {
  code?: string
  pluginCode?: string
  id?: string
  /** Line from 1, column from 0. */
  loc?: { file?: string; line: number; column: number }
  /** Rolldown: each by itself. Esbuild: without a code, with a place. */
  errors?: (EngineError & { text?: string; location?: { line: number; column: number } | null })[]
}

export interface FailureContext {
  root: string
  shownPath(file: string): string
  find(file: string): string | null
  /** How a file was edited before the engine saw it. */
  mapOf(file: string): { mappings: string } | undefined
}

const NOTED = 'flash: noted as a problem'

/** Ends a hook whose error is noted already: engines rewrite what hooks throw. */
export function stop(): never {
  throw new Error(NOTED)
}

/** What an engine threw, in our terms; errors that hooks noted are left out. */
export function toFailures(thrown: unknown, context: FailureContext): AppError[] {
  const error = thrown as EngineError
  const { errors } = error
  const isList = errors !== undefined && errors.every((one) => one.text === undefined)
  const all = isList ? errors : [error]
  return all.filter(({ message }) => !message.includes(NOTED)).map((one) => toFailure(one, context))
}

function toFailure(error: EngineError, context: FailureContext): AppError {
  const [compiled] = error.errors ?? []
  const file = toFile(error)
  const isSyntax = compiled !== undefined || /PARSE|SYNTAX/.test(`${error.code} ${error.pluginCode}`)
  const own = isSyntax ? findSyntaxError(file, context) : null
  if (own) return own
  return new AppError(isSyntax ? 'SYNTAX_ERROR' : 'MODULE_FAILED', {
    message: compiled?.text ?? sentenceOf(error, context.root),
    hint: hintOf(isSyntax, file),
    ...placeOf(file, compiled?.location ?? error.loc, context),
    cause: causeOf(error),
  })
}

/** What a plugin throws has a stack; what an engine says is in its message. */
function causeOf(error: EngineError): EngineError | undefined {
  return error.code === undefined || error.code === 'PLUGIN_ERROR' ? error : undefined
}

function toFile({ loc, id }: EngineError): string | undefined {
  const file = loc?.file ?? id
  return file && splitQuery(file)[0]
}

/** `[CODE] sentence` and a drawing below, in colours, or `path (1:2): sentence`; paths are from the working folder. */
function sentenceOf({ message }: EngineError, root: string): string {
  const [sentence] = stripVTControlCharacters(message).split(/\n\s*╭/)
  const shown = sentence!.replaceAll(`${relative(process.cwd(), root)}/`, '').replaceAll(`${root}/`, '')
  return shown.replace(/^\[[\w ]+\]\s*|^\S+ \(\d+:\d+\): /, '').trim()
}

function hintOf(isSyntax: boolean, file: string | undefined): string {
  if (file && !codeEnding.test(file) && !file.endsWith('.json'))
    return 'import it with `?raw` as text or with `?url` as a file, or add a plugin for it to the worker build'
  return isSyntax ? 'correct the syntax' : 'correct what it says'
}

/** Our own parser tells it for the text as it is written; what the engine saw may be an edited one. */
function findSyntaxError(file: string | undefined, { find, shownPath }: FailureContext): AppError | null {
  const code = file && codeEnding.test(file) && isFile(file) ? find(file) : null
  if (!file || code === null) return null
  try {
    parseModule(code, file, shownPath(file))
    return null
  } catch (error) {
    return error instanceof AppError ? error : null
  }
}

function placeOf(
  file: string | undefined,
  loc: { line: number; column: number } | undefined,
  context: FailureContext,
) {
  if (!file || !loc) return undefined
  const map = context.mapOf(file)
  const entry = map && new SourceMap(map as SourceMapPayload).findEntry(loc.line - 1, loc.column)
  const isMapped = entry && 'originalLine' in entry
  const line = isMapped ? entry.originalLine + 1 : loc.line
  const column = isMapped ? entry.originalColumn + 1 : loc.column + 1
  const text = isFile(file) ? context.find(file) : null
  return {
    at: { file: context.shownPath(file), line, column },
    frame: text === null ? undefined : frameAt(text, line, column),
  }
}
