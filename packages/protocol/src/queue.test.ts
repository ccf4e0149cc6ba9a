import { expect, test } from 'vitest'
import { finalStates, isFinalState, JobState, queueLimits, queuePaths } from './queue.ts'

test('a job is final in four of six states', () => {
  const open = Object.values(JobState).filter((state) => !isFinalState(state))
  expect(open).toEqual(['IN_QUEUE', 'IN_PROGRESS'])
  expect(finalStates).toHaveLength(4)
})

test('an id cannot leave its path', () => {
  expect(queuePaths.status('../run?x')).toBe('/status/..%2Frun%3Fx')
  expect(queuePaths.cancel('a-u1')).toBe('/cancel/a-u1')
  const others = [queuePaths.statusSync, queuePaths.stream, queuePaths.retry].map((path) => path('x'))
  expect(others).toEqual(['/status-sync/x', '/stream/x', '/retry/x'])
})

test('defaults lie within their limits', () => {
  for (const { min, max, default: usual } of [
    queueLimits.waitMs,
    queueLimits.executionTimeoutMs,
    queueLimits.ttlMs,
  ]) {
    expect(min <= usual && usual <= max).toBe(true)
  }
})
