import { describe, expect, test } from 'vitest'
import { format, formatError } from '../src/format.ts'

describe('a value', () => {
  for (const [value, text] of [
    ['a "b"', '"a \\"b\\""'],
    [1.5, '1.5'],
    [-0, '0'],
    [12n, '12n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [new Date(0), 'Date 1970-01-01T00:00:00.000Z'],
    [[], '[]'],
    [[1, ['a']], '[1, ["a"]]'],
    [{}, '{}'],
    [{ a: 1, b: { c: undefined } }, '{\n  a: 1\n  b: {\n    c: undefined\n  }\n}'],
    [new Map([['stamp', 95n]]), 'Map(1) { "stamp" → 95n }'],
    [new Uint8Array([1, 255]), 'Uint8Array(2) [1, 255]'],
  ] as const)
    test(text.replaceAll('\n', ' '), () => expect(format(value)).toBe(text))
})

describe('an error', () => {
  for (const [what, error, text] of [
    [
      'with a code and data',
      { name: 'RemoteError', code: 'FULL', data: { seats: 0 } },
      'RemoteError FULL: no\ndata {\n  seats: 0\n}',
    ],
    ['with a hint', { code: 'X', hint: 'try again' }, 'Error X: no\nhint try again'],
    ['with a number for a code', { name: 'AbortError', code: 20 }, 'AbortError: no'],
    ['of nothing but a message', {}, 'Error: no'],
  ] as const)
    test(what, () => expect(formatError(Object.assign(new Error('no'), error))).toBe(text))

  test('that is none', () => expect(formatError('no')).toBe('Thrown: "no"'))
})
