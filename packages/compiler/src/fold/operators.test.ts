import { expect, test } from 'vitest'
import { applyBinary, applyUnary } from './operators.ts'

for (const [left, operator, right] of [
  [1, '+', 2],
  ['a', '+', 1],
  [5, '-', 2],
  [2, '*', 3],
  [6, '/', 4],
  [7, '%', 4],
  [2, '**', 5],
  [5, '|', 2],
  [7, '&', 3],
  [6, '^', 3],
  [1, '<<', 4],
  [-8, '>>', 1],
  [-8, '>>>', 28],
  [1, '===', 1],
  ['1', '===', 1],
  [1, '!==', 2],
  ['1', '==', 1],
  [null, '==', undefined],
  [1, '!=', '1'],
  ['a', '<', 'b'],
  [2, '<=', 1],
  [2, '>', 1],
  [1, '>=', 1],
  [2n, '*', 3n],
] as const) {
  test(`${String(left)} ${operator} ${String(right)} is what the language says`, () => {
    // oxlint-disable-next-line no-eval, typescript/no-implied-eval -- the reference is the language itself
    const expected = new Function('a', 'b', `return a ${operator} b`)(left, right) as never
    expect(applyBinary(operator, left, right)).toEqual({ value: expected })
  })
}

for (const [operator, value] of [
  ['!', 0],
  ['-', 3],
  ['+', '4'],
  ['~', 5],
  ['typeof', 'x'],
  ['void', 1],
  ['-', 2n],
] as const) {
  test(`${operator} ${String(value)} is what the language says`, () => {
    // oxlint-disable-next-line no-eval, typescript/no-implied-eval -- the reference is the language itself
    const expected = new Function('a', `return ${operator} a`)(value) as never
    expect(applyUnary(operator, value)).toEqual({ value: expected })
  })
}

test('what an operator refuses, and operators that need more than two values, are left to the program', () => {
  expect(applyBinary('+', 1n, 1)).toBeNull()
  expect(applyBinary('in', 'a', 'b')).toBeNull()
  expect(applyBinary('constructor', 1, 1)).toBeNull()
  expect(applyUnary('+', 1n)).toBeNull()
  expect(applyUnary('delete', 1)).toBeNull()
})
