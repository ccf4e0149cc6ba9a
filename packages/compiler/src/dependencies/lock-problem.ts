import { AppError } from '@flash/protocol'
import { frameAt } from '../frame-at.ts'
import { fieldOf } from './fields.ts'
import type { Manager } from './types.ts'
import { installAll } from './commands.ts'

/** The text of a lockfile, and what its errors call it. */
export interface LockText {
  text: string
  /** From the project root. */
  shown: string
  manager: Manager
}

/** Throws that a lockfile cannot be used. `at`: line and column from 1, the beginning when it is all of it. */
export function refuseLock(lock: LockText, problem: string, at = { line: 1, column: 1 }): never {
  throw new AppError('LOCKFILE_INVALID', {
    message: `${lock.shown}:${at.line}:${at.column} ${problem}`,
    hint: `run \`${installAll(lock.manager)}\` to have it written again, or restore it from version control`,
    at: { file: lock.shown, ...at },
    frame: frameAt(lock.text, at.line, at.column),
  })
}

/** Reads the text with `parse`, whose errors become `LOCKFILE_INVALID` at their place. */
export function parseLock(lock: LockText, parse: (text: string) => unknown): unknown {
  const text = lock.text.replace(/^\uFEFF/, '')
  const conflict = /^<{7} .*$/m.exec(text)
  if (conflict) refuseLock(lock, 'has the marks of a merge conflict', placeAt(text, conflict.index))
  try {
    return parse(text)
  } catch (error) {
    const [message] = (error as Error).message.split(/, (?:\.\.\.)?"|\n/, 1)
    return refuseLock(lock, `cannot be read: ${message}`, placeOf(error, text))
  }
}

/** Where a parser stopped; each has its own way to say it. */
function placeOf(error: unknown, text: string): { line: number; column: number } {
  const mark = fieldOf(error, 'mark')
  if (mark !== undefined) return clamp(text, numberOf(mark, 'line') + 1, numberOf(mark, 'column') + 1)
  const start = fieldOf(fieldOf(error, 'location'), 'start')
  if (start !== undefined) return clamp(text, numberOf(start, 'line'), numberOf(start, 'column'))
  return placeAt(text, offsetOf((error as Error).message, text) ?? text.length)
}

/** `JSON.parse` tells the position, or shows it: the ten characters before the wrong one, that one, and the ten behind it. */
function offsetOf(message: string, text: string): number | undefined {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  const shown = /^Unexpected token '([\s\S]+)', (\.\.\.)?"([\s\S]*)"(?:\.\.\.)? is not valid JSON$/.exec(
    message,
  )
  if (!shown) return undefined
  const [, token, isInside, around] = shown
  return Math.max(0, text.indexOf(around!)) + (isInside ? 10 : around!.indexOf(token!))
}

function numberOf(value: unknown, name: string): number {
  return Number(fieldOf(value, name)) || 0
}

function clamp(text: string, line: number, column: number): { line: number; column: number } {
  const last = placeAt(text, text.length)
  return line > last.line ? last : { line: Math.max(1, line), column: Math.max(1, column) }
}

function placeAt(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: lines.at(-1)!.length + 1 }
}
