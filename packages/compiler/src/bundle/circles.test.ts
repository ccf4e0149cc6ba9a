import { expect, test } from 'vitest'
import { findCircles } from './circles.ts'

for (const [what, calls, circles] of [
  ['none', { a: ['b'], b: ['c'], c: [] }, []],
  ['none, though two call the same', { a: ['b', 'c'], b: ['c'], c: [] }, []],
  ['two that call each other', { a: ['b'], b: ['a'] }, ['a → b → a']],
  ['three, told once', { a: ['b'], b: ['c'], c: ['a'] }, ['a → b → c → a']],
  ['the shortest way around', { a: ['b', 'c'], b: ['c'], c: ['a'] }, ['a → c → a']],
  ['two circles', { a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c'] }, ['a → b → a', 'c → d → c']],
  ['one that others lead to', { a: ['b'], b: ['c'], c: ['b'] }, ['b → c → b']],
] as [string, Record<string, string[]>, string[]][]) {
  test(`circles of calls: ${what}`, () => {
    const endpoints = Object.fromEntries(Object.entries(calls).map(([name, to]) => [name, { calls: to }]))
    const found = findCircles(endpoints)
    expect(found.map(({ message }) => message.replace(/^.*: /, ''))).toEqual(circles)
    expect(found.every(({ code }) => code === 'CALL_CIRCLE')).toBe(true)
  })
}
