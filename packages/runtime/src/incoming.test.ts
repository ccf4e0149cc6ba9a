import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createIncoming } from './incoming.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** An answer that is read as far as its last frame. */
function open() {
  const cancel = vi.fn()
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given), cancel })
  const incoming = createIncoming(body.getReader())
  incoming.finish()
  incoming.leave()
  return { cancel, controller }
}

test('an answer that ends behind its last frame is not broken off', async () => {
  const { cancel, controller } = open()
  await vi.advanceTimersByTimeAsync(900)
  controller.close()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(cancel).not.toHaveBeenCalled()
})

test('one that stays open is left after a second', async () => {
  const { cancel } = open()
  await vi.advanceTimersByTimeAsync(999)
  expect(cancel).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(cancel).toHaveBeenCalledTimes(1)
})

test('one that goes on is left at once', async () => {
  const { cancel, controller } = open()
  controller.enqueue(new Uint8Array(1))
  await vi.advanceTimersByTimeAsync(0)
  expect(cancel).toHaveBeenCalledTimes(1)
})

test('one that breaks harms nobody', async () => {
  const { cancel, controller } = open()
  controller.error(new Error('broken'))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(cancel).not.toHaveBeenCalled()
})
