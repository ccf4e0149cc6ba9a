import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './json.ts'

const parse = (text: string) => parseJson(Buffer.from(text))

test('what JSON can write is read as it is', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)))
    }),
  )
})

test.each([
  ['{"a": NaN, "b": [Infinity, -Infinity]}', { a: null, b: [null, null] }],
  ['{"NaN": "NaN \\" Infinity", "x": NaN}', { NaN: 'NaN " Infinity', x: null }],
  ['NaN', null],
  ['["\\\\", Infinity, "é NaN"]', ['\\', null, 'é NaN']],
])("Python's %s is read with null", (text, value) => {
  expect(parse(text)).toEqual(value)
})

test.each(['', '{', '{"a": NaNa}', '["NaN', "{'a': 1}", '{"a": undefined}', '\u0000'])(
  '%j is refused',
  (text) => {
    expect(() => parse(text)).toThrow(/cannot be read as JSON/)
  },
)

test('nesting that nobody could write back is refused, brackets in texts do not count', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  expect(JSON.stringify(parse(nested(1_000)))).toHaveLength(2_000)
  expect(() => parse(nested(1_001))).toThrow(/deeper than 1000 levels/)
  expect(() => parse(nested(1_000_000))).toThrow(/deeper than 1000 levels/)
  const text = '[{"'.repeat(5_000)
  expect(parse(JSON.stringify({ text }))).toEqual({ text })
})

test('any bytes are read or refused, never anything else', () => {
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    'NaN',
    '-Infinity',
    '1',
    'x',
    'é',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      try {
        parse(parts.join(''))
      } catch (error) {
        expect((error as { code?: string }).code).toBe('BAD_REQUEST')
      }
    }),
    { numRuns: 2_000 },
  )
})
