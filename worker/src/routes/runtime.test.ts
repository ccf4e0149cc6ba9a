import { expect, test } from 'vitest'
import { runtimeOf } from './runtime.ts'

test('what answers requests comes with the first route or web app', () => {
  const balanced = {}
  const queue = { config: {}, body: () => 1 }
  expect(runtimeOf([queue, { ...queue, balanced }])).toBe(balanced)
  expect(() => runtimeOf([queue])).toThrow(expect.objectContaining({ code: 'UNKNOWN_FUNCTION' }))
})
