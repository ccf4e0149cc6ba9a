import { resolve } from 'node:path'
import { AppError, type SourcePosition } from '@flash/protocol'
import { withColours } from './colours.ts'

/** An error of ours with what bundlers and Vite's overlay look for: the file, the place in it, and the lines around. */
export function toHostError(error: unknown, root: string): Error {
  if (!(error instanceof AppError)) return error as Error
  const { at, frame, code, hint } = error
  const message = [`${code}: ${error.message}`, hint && `  ${hint}`].filter(Boolean).join('\n')
  const place = at && placeOf(at, root)
  return Object.assign(new Error(message, { cause: error }), { ...place, frame, plugin: 'unplugin-flash' })
}

function placeOf(at: SourcePosition, root: string) {
  const file = resolve(root, at.file)
  return { id: file, loc: { file, line: at.line, column: at.column - 1 } }
}

/** One error for a host that takes no more: the place of the first, the words of all. */
export function combineErrors([first, ...others]: unknown[], root: string): Error {
  const error = toHostError(first, root)
  if (others.length > 0)
    error.message += `\n\nand ${others.length} more:\n\n${others.map(printError).join('\n\n')}`
  return error
}

/** One line for a terminal: code, place, sentence, next step, and the lines around. */
export function printError(error: unknown): string {
  return withColours(error instanceof AppError ? linesOf(error) : stackOf(error), 'stderr')
}

function linesOf(error: AppError): string {
  const place = error.at ? `${error.at.file}:${error.at.line}:${error.at.column} ` : ''
  const lines = [`${place}${error.code}: ${error.message}`]
  if (error.hint) lines.push(`  ${error.hint}`)
  if (error.frame) lines.push(error.frame)
  return lines.join('\n')
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
