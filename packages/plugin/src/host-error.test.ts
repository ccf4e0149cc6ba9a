import { AppError } from '@flash/protocol'
import { expect, test } from 'vitest'
import { combineErrors, printError, toHostError } from './host-error.ts'

const error = new AppError('REMOTE_SCOPE', {
  message: 'the function uses "this"',
  hint: 'pass the value as an argument',
  at: { file: 'src/a.ts', line: 3, column: 5 },
  frame: '3 | this.x\n  | ^^^^',
})

test('a bundler gets file, place and lines, and the sentence with its code and next step', () => {
  const shown = toHostError(error, '/app')
  expect(shown).toMatchObject({
    message: 'REMOTE_SCOPE: the function uses "this"\n  pass the value as an argument',
    id: '/app/src/a.ts',
    loc: { file: '/app/src/a.ts', line: 3, column: 4 },
    frame: error.frame,
    plugin: 'unplugin-flash',
    cause: error,
  })
  // The error itself is kept and told again.
  expect(toHostError(error, '/app').message).toBe(shown.message)
})

test('what is not ours is passed on as it is, and what has no place has none', () => {
  const other = new TypeError('x')
  expect(toHostError(other, '/app')).toBe(other)
  const nowhere = toHostError(new AppError('BAD_OPTION', { message: 'y' }), '/app')
  expect(nowhere.message).toBe('BAD_OPTION: y')
  expect(nowhere).not.toHaveProperty('loc')
})

test('a terminal gets place, code, sentence, next step and lines', () => {
  expect(printError(error).split('\n')).toEqual([
    'src/a.ts:3:5 REMOTE_SCOPE: the function uses "this"',
    '  pass the value as an argument',
    '3 | this.x',
    '  | ^^^^',
  ])
  expect(printError('text')).toBe('text')
  expect(printError(new TypeError('boom'))).toContain('TypeError: boom')
})

test('a bundler that takes one error gets the place of the first, and the words of all', () => {
  const other = new AppError('BAD_OPTION', { message: 'y' })
  const shown = combineErrors([error, other], '/app')
  expect(shown).toMatchObject({ id: '/app/src/a.ts', cause: error })
  expect(shown.message).toMatch(/^REMOTE_SCOPE: [\s\S]*\n\nand 1 more:\n\nBAD_OPTION: y$/)
  expect(combineErrors([other], '/app').message).toBe('BAD_OPTION: y')
})
