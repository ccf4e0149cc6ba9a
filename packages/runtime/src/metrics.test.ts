import { expect, test, vi } from 'vitest'
import { emitMetric, onMetric } from './metrics.ts'

test('listeners hear name, value and labels until they are taken off', () => {
  const listener = vi.fn()
  const off = onMetric(listener)
  const again = onMetric(listener)
  emitMetric('retry_attempt', 1, { endpoint: 'ocr' })
  expect(listener.mock.calls).toEqual(
    Array.from({ length: 2 }, () => [{ name: 'retry_attempt', value: 1, labels: { endpoint: 'ocr' } }]),
  )
  off()
  again()
  emitMetric('retry_attempt', 1, { endpoint: 'ocr' })
  expect(listener).toHaveBeenCalledTimes(2)
})

test('one that throws keeps nobody from hearing, and no call from going on', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const listener = vi.fn()
  const offs = [
    onMetric(() => {
      throw new Error('full disk')
    }),
    onMetric(listener),
  ]
  emitMetric('retry_success', 1, { endpoint: 'ocr' })
  for (const off of offs) off()
  expect(listener).toHaveBeenCalledTimes(1)
  expect(said.mock.calls).toMatchObject([[{ message: 'full disk' }]])
  said.mockRestore()
})
