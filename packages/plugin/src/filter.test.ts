import { expect, test } from 'vitest'
import { createFilter, wordsFilter } from './filter.ts'

test('modules of every kind are looked at, with or without query', () => {
  const { include, exclude } = createFilter().id
  for (const id of [
    '/a/b.ts',
    '/a/b.tsx',
    '/a/b.mjs',
    '/a/b.cts',
    '/a/b.js?flash=x',
    '/a/C.vue',
    '/a/C.svelte?v=1',
    'C:/a/b.ts',
  ])
    expect(include.test(id), id).toBe(true)
  for (const id of ['/a/b.css', '/a/b.json', '/a/b.ts.txt', '/a/bts'])
    expect(include.test(id), id).toBe(false)
  for (const id of ['/n/unplugin-flash/dist/client.mjs', '\0virtual:flash/client'])
    expect(exclude.test(id), id).toBe(true)
})

test('text is judged by our words, and by those of the project', () => {
  const words = wordsFilter(['gpuFunction', 'a$b'])
  for (const text of ["from 'unplugin-flash'", 'remote(', 'gpuFunction(', 'a$b()', '\\u0061$b()'])
    expect(words.test(text), text).toBe(true)
  for (const text of ['remotely', 'aXb']) expect(words.test(text), text).toBe(false)
  // What an import may name with no more than `'..'`.
  expect(wordsFilter(['', 'gpu']).test(`import own from '..'`)).toBe(true)
})
