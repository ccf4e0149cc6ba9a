import { createTestClock, type JobStatus } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { sendWebhook } from './webhook.ts'

const status = { id: 'a-u1', status: 'COMPLETED', output: 1 } as JobStatus
const answer = (code: number) => Promise.resolve(new Response(null, { status: code }))
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('the status is posted as JSON, once when it is taken', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(() => answer(200))
  expect(await sendWebhook('http://hook.test/', status, { fetch })).toBe(true)
  expect(fetch).toHaveBeenCalledOnce()
  const [url, init] = fetch.mock.calls[0]!
  expect([url, JSON.parse(String(init?.body))]).toEqual(['http://hook.test/', status])
})

test('the body of an answer is let go', async () => {
  const cancel = vi.fn()
  const fetch = async () => new Response(new ReadableStream({ cancel }), { status: 200 })
  expect(await sendWebhook('http://hook.test/', status, { fetch })).toBe(true)
  expect(cancel).toHaveBeenCalledOnce()
})

for (const [what, answers, taken, calls] of [
  ['a refusal, then 200', [500, 200], true, 2],
  ['three refusals', [500, 404, 302], false, 3],
  ['nobody there', [0, 0, 0], false, 3],
] as const) {
  test(`${what}: tried ${calls} times, 10 s apart`, async () => {
    const clock = createTestClock()
    const fetch = vi.fn(() => {
      const code = answers[fetch.mock.calls.length - 1]!
      return code === 0 ? Promise.reject(new TypeError('refused')) : answer(code)
    })
    const sent = sendWebhook('http://hook.test/', status, { clock, fetch })
    for (let attempt = 1; attempt < calls; attempt++) {
      await settle()
      expect(fetch).toHaveBeenCalledTimes(attempt)
      clock.advance(9_999)
      await settle()
      expect(fetch).toHaveBeenCalledTimes(attempt)
      clock.advance(1)
    }
    expect(await sent).toBe(taken)
    expect(fetch).toHaveBeenCalledTimes(calls)
  })
}
