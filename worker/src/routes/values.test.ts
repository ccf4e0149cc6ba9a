import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf } from './json-schema.ts'
import { coerce } from './values.ts'

const number = { type: 'number' }
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

describe('text becomes what the schema names', () => {
  for (const [what, value, schema, made] of [
    ['a number', '1.5', number, 1.5],
    ['a negative number with an exponent', '-2e3', number, -2000],
    ['an integer', '42', { type: 'integer' }, 42],
    ['a number where an integer is wanted', '1.5', { type: 'integer' }, 1.5],
    ['an integer that no number can hold', '9007199254740993', { type: 'integer' }, '9007199254740993'],
    ['text that JSON would not take as a number', '01', number, '01'],
    ['hexadecimal', '0x10', number, '0x10'],
    ['nothing', '', number, ''],
    ['a number beyond all bounds', '1e999', number, '1e999'],
    ['true', 'true', { type: 'boolean' }, true],
    ['0', '0', { type: 'boolean' }, false],
    ['another word', 'yes', { type: 'boolean' }, 'yes'],
    ['text', '5', { type: 'string' }, '5'],
    ['null where it may be', 'null', { type: ['number', 'null'] }, null],
    ['a number that may be null', '7', { anyOf: [number, { type: 'null' }] }, 7],
    ['the first choice that fits', 'x', { anyOf: [number, { const: 'x' }] }, 'x'],
    ['no choice', 'y', { anyOf: [number, { const: 'x' }] }, 'y'],
    ['a constant by its type', '3', { const: 3 }, 3],
    ['one of several', '2', { enum: [1, 2, null] }, 2],
    ['none of several', '9', { type: 'number', enum: [1, 2] }, 9],
    ['text that is told before numbers', '5', { type: ['string', 'number'] }, '5'],
    ['a single value of a list', '5', { type: 'array', items: number }, [5]],
    ['a list', ['1', 'x'], { items: number }, [1, 'x']],
    [
      'a tuple',
      ['1', 'true', '2'],
      { prefixItems: [number, { type: 'boolean' }], items: number },
      [1, true, 2],
    ],
    ['a list where a number is wanted', ['1', '2'], number, ['1', '2']],
    ['all parts', '5', { allOf: [number, { minimum: 3 }] }, 5],
    ['anything', '5', {}, '5'],
    ['anything, said otherwise', '5', true, '5'],
  ] as const) {
    test(what, () => expect(coerce(value, schema)).toEqual(made))
  }
})

test('fields by their names, others by what the schema says of them', () => {
  const schema = object({ n: number }, { additionalProperties: { type: 'boolean' } })
  expect(coerce({ n: '1', other: 'true' }, schema)).toEqual({ n: 1, other: true })
  expect(coerce({ n: '1', other: 'true' }, object({ n: number }, { additionalProperties: false }))).toEqual({
    n: 1,
    other: 'true',
  })
  expect(coerce({ n: '1' }, { properties: { n: number } })).toEqual({ n: 1 })
  expect(coerce('text', object({ n: number }))).toBe('text')
})

test('a field named __proto__ is a field', () => {
  const fields = JSON.parse('{"__proto__":"1"}')
  const made = coerce(fields, { type: 'object', additionalProperties: number }) as object
  expect(Object.entries(made)).toEqual([['__proto__', 1]])
  expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
})

test('files stay what they are', () => {
  const file = new File(['x'], 'a.txt')
  const schema = object({ file: { type: 'string', format: 'binary' }, n: number })
  expect(coerce({ file, n: '1' }, schema)).toEqual({ file, n: 1 })
  expect(coerce({ file }, object({ file: { type: 'array', items: {} } }))).toEqual({ file: [file] })
})

test('references are followed, also those that lead back, or nowhere', () => {
  const schema = {
    ...object({ a: { $ref: '#/$defs/a~1b%20c' }, self: { $ref: '#' }, gone: { $ref: '#/$defs/x/y' } }),
    $defs: { 'a/b c': number },
  }
  expect(coerce({ a: '1', self: { a: '2' }, gone: '3' }, schema)).toEqual({ a: 1, self: { a: 2 }, gone: '3' })
  expect(coerce('1', { $ref: '#' })).toBe('1')
  expect(coerce('1', { $ref: 'https://example.com/schema' })).toBe('1')
  expect(coerce('1', { $ref: '#/%zz' })).toBe('1')
})

test('of several objects the one whose fields fit', () => {
  const schema = jsonSchemaOf(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('size'), value: z.number() }),
      z.object({ kind: z.literal('name'), value: z.string() }),
    ]),
  )
  expect(coerce({ kind: 'size', value: '5' }, schema)).toEqual({ kind: 'size', value: 5 })
  expect(coerce({ kind: 'name', value: '5' }, schema)).toEqual({ kind: 'name', value: '5' })
  expect(coerce({ kind: 'other', value: '5' }, schema)).toEqual({ kind: 'other', value: '5' })
})

test('what zod says is read: optional, default, nullable, enum, intersection, what JSON has no word for', () => {
  const schema = z
    .object({
      page: z.number().int().optional(),
      size: z.number().default(10),
      all: z.boolean().nullable(),
      sort: z.enum(['up', 'down']),
      since: z.coerce.date(),
    })
    .and(z.object({ tag: z.array(z.string()) }))
  const given = { page: '2', all: 'null', sort: 'up', since: '2026-01-01', tag: 'a' }
  const made = coerce(given, jsonSchemaOf(schema))
  expect(made).toEqual({ page: 2, all: null, sort: 'up', since: '2026-01-01', tag: ['a'] })
  expect(schema.parse(made)).toMatchObject({ size: 10, since: new Date('2026-01-01') })
})

test('a schema that does not tell, or fails to, is told apart', () => {
  let asked = 0
  const untold = { '~standard': { version: 1, vendor: 'x', validate: () => ({ value: 1 }) } }
  const failing = {
    '~standard': {
      jsonSchema: {
        input() {
          asked++
          throw new Error('cannot')
        },
      },
    },
  }
  const strict = {
    '~standard': {
      jsonSchema: {
        input(options: object) {
          if ('libraryOptions' in options) throw new TypeError('unknown option')
          return number
        },
      },
    },
  }
  expect([untold, failing, failing, null, 'text'].map(jsonSchemaOf)).toEqual([null, null, null, null, null])
  expect(asked).toBe(2)
  expect(jsonSchemaOf(strict)).toEqual(number)
})
