import { expect, test } from 'vitest'
import { createWorkerKeys } from './key.ts'

test('each endpoint has its own key, always the same one', () => {
  const keys = createWorkerKeys()
  const first = keys.of('e0')
  const all = new Set(Array.from({ length: 1_500 }, (_, index) => keys.of(`e${index}`)))
  expect(all.size).toBe(1_500)
  expect(keys.of('e0')).toBe(first)
  expect(createWorkerKeys().of('e0')).not.toBe(first)
})

test.each([
  ['{key}', true],
  ['Bearer {key}', true],
  ['bearer  {key}', true],
  ['{key} ', false],
  ['x{key}', false],
  ['', false],
  ['Bearer', false],
])('the header "%s": %j', (header, fits) => {
  const keys = createWorkerKeys()
  expect(keys.fits(header.replace('{key}', keys.of('e')), 'e')).toBe(fits)
  expect(keys.fits(header.replace('{key}', keys.of('e')), 'other')).toBe(false)
  expect(keys.fits(undefined, 'e')).toBe(false)
})
