import { resolve } from 'node:path'
import { AppError } from '@flash/protocol'

/** An error of ours with what bundlers and Vite's overlay look for: the file, the place in it, and the lines around. */
export function toHostError(error: unknown, root: string): Error {
  if (!(error instanceof AppError) || !error.at) return error as Error
  const { at, frame, code, hint } = error
  const file = resolve(root, at.file)
  const message = [`${code}: ${error.message}`, hint && `  ${hint}`].filter(Boolean).join('\n')
  const place = { file, line: at.line, column: at.column - 1 }
  return Object.assign(new Error(message, { cause: error }), {
    id: file,
    loc: place,
    frame,
    plugin: 'unplugin-flash',
  })
}

/** One line for a terminal: code, place, sentence, next step, and the lines around. */
export function printError(error: unknown): string {
  if (!(error instanceof AppError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const place = error.at ? `${error.at.file}:${error.at.line}:${error.at.column} ` : ''
  const lines = [`${place}${error.code}: ${error.message}`]
  if (error.hint) lines.push(`  ${error.hint}`)
  if (error.frame) lines.push(error.frame)
  return lines.join('\n')
}
