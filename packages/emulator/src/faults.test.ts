import { expect, test } from 'vitest'
import { createFaults } from './faults.ts'

test('a fault happens as often as it says, and only where it applies', () => {
  const faults = createFaults()
  faults.add({ kind: 'rateLimit', plane: 'data', retryAfterSeconds: 2, endpoint: 'a', times: 2 })
  expect(faults.take('rateLimit', { endpoint: 'b', plane: 'data' })).toBeUndefined()
  expect(faults.take('rateLimit', { endpoint: 'a', plane: 'worker' })).toBeUndefined()
  expect(faults.take('serverError', { endpoint: 'a', plane: 'data' })).toBeUndefined()
  expect(faults.take('rateLimit', { endpoint: 'a', plane: 'data' })).toMatchObject({ retryAfterSeconds: 2 })
  expect(faults.list()).toMatchObject([{ id: 'fault-1', times: 1 }])
  expect(faults.take('rateLimit', { endpoint: 'a', plane: 'data' })).toBeDefined()
  expect(faults.take('rateLimit', { endpoint: 'a', plane: 'data' })).toBeUndefined()
})

test('an endpoint is named by its id or its name', () => {
  const faults = createFaults()
  faults.add({ kind: 'expiredResult', endpoint: 'words' })
  expect(faults.take('expiredResult', { endpoint: 'abc', name: 'other' })).toBeUndefined()
  expect(faults.take('expiredResult', { endpoint: 'abc', name: 'words' })).toBeDefined()
  expect(faults.take('expiredResult', { endpoint: 'words', name: 'other' })).toBeDefined()
})

test('one without an end and without an endpoint happens everywhere until it is removed', () => {
  const faults = createFaults()
  const { id } = faults.add({ kind: 'noCapacity' })
  const other = faults.add({ kind: 'throttled' })
  for (let i = 0; i < 3; i++) expect(faults.take('noCapacity', { endpoint: `e${i}` })).toBeDefined()
  faults.remove(id)
  expect(faults.list()).toEqual([other])
  faults.remove()
  expect(faults.take('throttled')).toBeUndefined()
})
