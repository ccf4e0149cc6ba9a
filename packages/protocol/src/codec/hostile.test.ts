import { describe, expect, test } from 'vitest'
import { AppError } from '../error.ts'
import { decodeValue } from './decode.ts'
import { type Hostile, hostile, hostileResults } from './hostile.ts'
import type { Direction } from './tags.ts'

function refusal({ rich, text, parts }: Hostile, direction: Direction): unknown {
  try {
    return decodeValue(
      rich,
      text,
      parts?.map((part) => part.slice()),
      { direction },
    )
  } catch (error) {
    return error
  }
}

/** Linear in the text, with room for a busy machine: what these guard against takes minutes or gigabytes. */
const budgetMs = (text: string) => 2_000 + text.length / 2_000
const budgetBytes = (text: string) => 8_000_000 + text.length * 12

describe.each([
  ['arguments', 'in', 'BAD_INPUT', hostile],
  [
    'results',
    'out',
    'BAD_RESULT',
    [...hostile.filter(({ what }) => what !== 'an error as an argument'), ...hostileResults],
  ],
] as const)('%s', (_, direction, code, corpus) => {
  test.each(corpus.map((entry) => [entry.what, entry] as const))('refused: %s', (_what, entry) => {
    const before = process.memoryUsage()
    const start = performance.now()
    const error = refusal(entry, direction)
    const ms = performance.now() - start
    const after = process.memoryUsage()
    expect(error).toBeInstanceOf(AppError)
    expect((error as AppError).code).toBe(code)
    expect((error as AppError).message.length).toBeLessThan(300)
    expect(ms).toBeLessThan(budgetMs(entry.text))
    const used = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers)
    expect(used).toBeLessThan(budgetBytes(entry.text))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

test('what looks hostile and is not: maps and sets that contain themselves', () => {
  const map = decodeValue(true, '[["Map",0,0]]') as Map<unknown, unknown>
  expect([...map.keys()][0]).toBe(map)
  expect(map.get(map)).toBe(map)
  const set = decodeValue(true, '[["Set",0]]') as Set<unknown>
  expect(set.has(set)).toBe(true)
})

test('what looks hostile and is not: forbidden words as text', () => {
  expect(decodeValue(false, '["__proto__","constructor\\u0021"]')).toEqual(['__proto__', 'constructor!'])
})

test('64 levels are read, in both forms', () => {
  expect(decodeValue(false, '['.repeat(64) + ']'.repeat(64))).toBeDefined()
  const list = Array.from({ length: 63 }, (_, index) => `[${index + 1}]`)
  expect(decodeValue(true, `[${list.join(',')},[64],["Date",""]]`)).toBeDefined()
  expect(() => decodeValue(true, `[${list.join(',')},[64],[]]`)).toThrow(/65 levels/)
})

test('an error whose causes and members never end is cut', () => {
  const error = decodeValue(
    true,
    '[["Error",1],{"name":2,"message":3,"cause":1,"errors":4},"AggregateError","x",[1,1,1,1,1,1,1,1,1,1]]',
    [],
    {
      direction: 'out',
    },
  )
  let count = 0
  const walk = (one: unknown) => {
    if (!(one instanceof Error)) return
    count++
    walk(one.cause)
    if (one instanceof AggregateError) one.errors.forEach(walk)
  }
  walk(error)
  expect(count).toBeLessThanOrEqual(100)
})
