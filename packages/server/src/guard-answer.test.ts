import type { WireError } from '@flash/protocol'
import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { guardAnswer } from './guard-answer.ts'
import { createErrorFilter } from './redact-error.ts'

const canary = 'postgres://shop:secret@10.0.0.7/shop'
const limitBytes = 1_048_576

function setUp() {
  const onError = vi.fn()
  const errors = createErrorFilter(onError)
  const guard = (body: BodyInit | null, headers: Record<string, string> = {}) =>
    guardAnswer(new Response(body, { headers: { 'x-flash-result': 'items', ...headers } }), errors)
  return { guard, onError }
}

/** A body of these chunks, and how many of them were taken. */
function toBody(chunks: readonly Uint8Array<ArrayBuffer>[], failure?: Error) {
  const taken = { count: 0 }
  const cancel = vi.fn()
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const chunk = chunks[taken.count++]
        if (chunk) controller.enqueue(chunk)
        else if (failure) controller.error(failure)
        else controller.close()
      },
      cancel,
    },
    { highWaterMark: 0 },
  )
  return { body, taken, cancel }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const item = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const failure = (error: unknown) => `event: error\ndata: ${JSON.stringify(error)}\n\n`
const leaky = { code: 'SETUP_FAILED', message: canary, hint: canary, data: { canary } }

async function readAll({ body }: Response) {
  const chunks: Uint8Array[] = []
  for await (const chunk of body!) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** The errors of an event stream. */
function errorsOf(text: string): WireError[] {
  return Array.from(text.matchAll(/^event: error\ndata: (.*)$/gm), ([, data]) => JSON.parse(data!))
}

describe('of items, a browser gets', () => {
  test('all of them, and of an error only that there was one', async () => {
    const { guard, onError } = setUp()
    const items = item('a') + item({ text: 'event: error\ndata: {}\n\n' }) + item('ß\u{1f600}')
    const answer = await guard(items + failure(leaky), { 'content-length': '300', 'x-own': 'a' })
    const text = await readAll(answer)
    expect(text.startsWith(items)).toBe(true)
    expect(text).not.toContain('secret')
    expect(errorsOf(text)).toEqual([
      {
        code: 'INTERNAL',
        message: expect.stringContaining('request '),
        data: { requestId: expect.any(String) },
      },
    ])
    expect(onError.mock.calls).toMatchObject([
      [{ code: 'SETUP_FAILED', message: canary }, expect.any(String)],
    ])
    expect([answer.headers.get('x-flash-result'), answer.headers.get('x-own')]).toEqual(['items', 'a'])
    expect(answer.headers.has('content-length')).toBe(false)
  })

  test('an error that is meant for it as it is', async () => {
    const { guard, onError } = setUp()
    const own = { code: 'EMPTY', message: 'none left', hint: 'come back', data: { left: 0 } }
    const text = item(1) + failure(own)
    expect(await readAll(await guard(text))).toBe(text)
    expect(onError).not.toHaveBeenCalled()
  })

  for (const [what, text] of [
    ['is none', `event: error\ndata: ${canary}\n\n`],
    ['has no code', failure({ message: canary })],
    ['has no data', `event: error\nid: ${canary}\n\n`],
    ['has nothing', 'event: error\n\n'],
    ['comes after an empty line', `\n\n\n${failure(leaky)}`],
    ['breaks off', failure(leaky).slice(0, -20)],
    ['breaks off at once', 'event: error\n'],
    ['lacks its end', failure(leaky).slice(0, -1)],
  ] as const) {
    test(`nothing of an error that ${what}`, async () => {
      const { guard, onError } = setUp()
      const shown = await readAll(await guard(text))
      expect(shown).not.toContain('secret')
      expect(errorsOf(shown)).toMatchObject([{ code: 'INTERNAL' }])
      expect(onError).toHaveBeenCalledTimes(1)
    })
  }

  test('nothing of an error whose connection breaks', async () => {
    const { guard } = setUp()
    const { body } = toBody([bytes(item(1)), bytes(failure(leaky).slice(0, 60))], new Error('broken'))
    const text = await readAll(await guard(body))
    expect(text.startsWith(item(1))).toBe(true)
    expect(errorsOf(text)).toMatchObject([{ code: 'INTERNAL' }])
  })

  test('of an error that is too long no more than that', async () => {
    const { guard } = setUp()
    const part = bytes('secret'.repeat(10_000))
    const { body, taken, cancel } = toBody([bytes('event: error\ndata: "'), ...Array(100).fill(part)])
    const text = await readAll(await guard(body))
    expect(errorsOf(text)).toMatchObject([{ code: 'INTERNAL' }])
    expect(text).not.toContain('secret')
    expect(taken.count * part.length).toBeLessThan(limitBytes + 3 * part.length)
    expect(cancel).toHaveBeenCalledTimes(1)
  })

  test('the same, wherever the bytes are split', async () => {
    const lines = fc.constantFrom(
      '\n',
      'event: error\n',
      'event: err',
      'data: x\n',
      'é\n',
      `data: "${canary}"\n`,
    )
    const events = fc.constantFrom(
      item('a\n\nb'),
      item('€'),
      failure(leaky),
      failure({ code: 'OWN', message: 'é' }),
    )
    const texts = fc.array(fc.oneof(events, lines), { maxLength: 8 })
    const show = async (chunks: Uint8Array<ArrayBuffer>[]) => {
      const { guard } = setUp()
      const text = await readAll(await guard(toBody(chunks).body))
      return text.replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, 'id')
    }
    const sizes = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(texts, sizes, async (parts, sizes) => {
        const all = bytes(parts.join(''))
        const chunks = sizes.map((size, index) => {
          const at = sizes.slice(0, index).reduce((sum, one) => sum + one, 0)
          return all.subarray(at, at + size)
        })
        chunks.push(all.subarray(sizes.reduce((sum, one) => sum + one, 0)))
        expect(await show(chunks)).toBe(await show([all]))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a body of items', () => {
  test('is read no faster than it is taken, and long items pass in parts', async () => {
    const { guard } = setUp()
    const part = bytes('x'.repeat(1_000_000))
    const { body, taken } = toBody([bytes('data: "'), ...Array(50).fill(part)])
    const reader = (await guard(body)).body!.getReader()
    expect(taken.count).toBe(0)
    await reader.read()
    const second = await reader.read()
    expect([second.value!.length, second.value!.buffer === part.buffer]).toEqual([part.length, true])
    expect(taken.count).toBe(2)
    await reader.cancel()
  })

  test('ends when nobody takes it, also within an error, which then nobody is told of', async () => {
    const { guard, onError } = setUp()
    const cancel = vi.fn()
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(bytes(failure(leaky).slice(0, 40))),
      cancel,
    })
    const reader = (await guard(body)).body!.getReader()
    const step = reader.read()
    const reason = new Error('left')
    await reader.cancel(reason)
    expect(await step).toMatchObject({ done: true })
    expect(cancel.mock.calls).toEqual([[reason]])
    expect(onError).not.toHaveBeenCalled()
  })

  test('that breaks between errors breaks', async () => {
    const { guard } = setUp()
    const { body } = toBody([bytes(item(1))], new Error('broken'))
    await expect(readAll(await guard(body))).rejects.toThrow('broken')
  })

  test('that is cut keeps what came of it', async () => {
    const { guard } = setUp()
    for (const text of [`${item(1)}event: err`, `${item(1)}data: 2`])
      expect(await readAll(await guard(text))).toBe(text)
  })

  test('that is not there, and other answers, stay as they are', async () => {
    const { guard } = setUp()
    expect((await guard(null)).body).toBeNull()
    const text = failure(leaky)
    expect(await readAll(await guard(text, { 'x-flash-result': 'response' }))).toBe(text)
  })
})
