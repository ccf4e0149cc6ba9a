import { describe, expect, test } from 'vitest'
import { toReported } from './child.ts'

const shared = { a: 1 }
const circle: Record<string, unknown> = { y: {} }
;(circle.y as Record<string, unknown>).z = circle

describe('configs that are data', () => {
  for (const [what, config, data] of [
    [
      'plain values',
      { name: 'x', workers: [0, 3], flashboot: false, model: null },
      { name: 'x', workers: [0, 3], flashboot: false, model: null },
    ],
    ['undefined is left out', { a: undefined, b: 1, c: [undefined] }, { b: 1, c: [null] }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      'code at the top is only present',
      { setup: () => 1, input: new Map(), output: undefined },
      { setup: true, input: true },
    ],
    ['the same object twice', { x: shared, y: shared }, { x: shared, y: shared }],
    ['nothing at all', undefined, undefined],
    ['a plain value', 'x', 'x'],
  ] as const)
    test(what, () => expect(toReported(config)).toEqual({ data }))
})

describe('configs that are not data name path and value', () => {
  for (const [config, path, what] of [
    [{ env: { A: () => 1 } }, ['env', 'A'], 'is a function'],
    [{ env: { setup: () => 1 } }, ['env', 'setup'], 'is a function'],
    [{ gpu: [1n] }, ['gpu', '0'], 'is 1n'],
    [{ workers: Number.NaN }, ['workers'], 'is NaN'],
    [{ workers: Number.POSITIVE_INFINITY }, ['workers'], 'is Infinity'],
    [{ name: Symbol('x') }, ['name'], 'is Symbol(x)'],
    [{ env: new Map() }, ['env'], 'is an instance of Map'],
    [
      {
        env: new (class Env {
          size = 1
        })(),
      },
      ['env'],
      'is an instance of Env',
    ],
    [
      { env: Object.create(Object.create(Object.create(null))) },
      ['env'],
      'is an instance of an unnamed class',
    ],
    [{ name: Promise.resolve('x') }, ['name'], 'is a promise'],
    [Promise.resolve({}), [], 'is a promise'],
    [circle, ['y', 'z'], 'contains itself'],
  ] as const)
    test(what, () => expect(toReported(config)).toEqual({ path, what }))

  test('a getter that throws is a throw', () => {
    const config = {
      get name() {
        throw new RangeError('no')
      },
    }
    expect(() => toReported(config)).toThrow(RangeError)
  })
})
