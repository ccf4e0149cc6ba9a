import { describe, expect, test } from 'vitest'
import { checkPlain, parsePlainJson, toPlainJson } from './json.ts'

describe('toPlainJson', () => {
  test('writes what JSON carries whole', () => {
    expect(toPlainJson({ a: [1, 'x', null, { b: false }] })).toBe('{"a":[1,"x",null,{"b":false}]}')
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  const arrayWithMethod = Object.assign([1], { toJSON: () => 2 })
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a symbol', Symbol('x')],
    ['a cycle', cycle],
    ['a symbol key', { [Symbol('x')]: 1 }],
    ['a forbidden key', { prototype: 1 }],
    ['an array with toJSON', arrayWithMethod],
    ['an array of a subclass', new (class List extends Array {})()],
    [
      'a class instance',
      new (class User {
        name = 'x'
      })(),
    ],
    ['an object that inherits data', Object.create({ a: 1 })],
    ['an object without Object above it', Object.create(Object.create(null))],
  ])('is null for %s', (_, value) => expect(toPlainJson(value)).toBeNull())

  test('a symbol key that no copy would have is no matter', () => {
    expect(toPlainJson(Object.defineProperty({ a: 1 }, Symbol('hidden'), { value: 1 }))).toBe('{"a":1}')
  })

  test('reads 64 levels and gives up at 65', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    expect(toPlainJson(nested(64))).toBe('['.repeat(64) + 1 + ']'.repeat(64))
    expect(toPlainJson(nested(65))).toBeNull()
  })
})

describe('parsePlainJson', () => {
  test('reads texts with quotes and backslashes in them', () => {
    const value = ['\\', '"', '\\"', '[[[[', 'a\\\\"b', { 'k"]': '}' }]
    expect(parsePlainJson(JSON.stringify(value))).toEqual(value)
  })

  test('says which side made the text', () => {
    expect(() => parsePlainJson('{')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
    expect(() => parsePlainJson('{', 'out')).toThrow(expect.objectContaining({ code: 'BAD_RESULT' }))
  })
})

describe('checkPlain', () => {
  test('accepts data, and refuses depth and keys', () => {
    expect(() => checkPlain({ a: [1, null, { b: 'constructor' }] })).not.toThrow()
    expect(() => checkPlain(JSON.parse('{"a":[{"__proto__":1}]}'))).toThrow(
      /"__proto__", which is never accepted/,
    )
    expect(() => checkPlain(JSON.parse('['.repeat(65) + ']'.repeat(65)))).toThrow(
      /65 levels, the limit is 64/,
    )
  })
})
