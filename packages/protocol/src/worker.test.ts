import { expect, test } from 'vitest'
import { workerPaths } from './worker.ts'

test('paths of the worker plane as Runpod has them', () => {
  expect(workerPaths.take('w1')).toBe('/job-take/w1')
  expect(workerPaths.takeBatch('w1')).toBe('/job-take-batch/w1')
  expect(workerPaths.stop('w1')).toBe('/job-stop/w1')
  expect(workerPaths.done('w1', 'j1')).toBe('/job-done/w1/j1')
  expect(workerPaths.stream('w1', 'j1')).toBe('/job-stream/w1/j1')
  expect(workerPaths.ping('w1')).toBe('/ping/w1')
})
