import { AppError, FrameType, RemoteError, toWireError, type WireError } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createErrorFilter } from './redact-error.ts'
import { json } from './testing/production.ts'

/** What a browser gets of an error that a job ended with. */
function show(wire: unknown) {
  const onError = vi.fn()
  const { message } = createErrorFilter(onError)
  const shown: WireError = JSON.parse(message(json(FrameType.error, wire), 'ocr/1')!.text)
  return { shown, onError }
}

const thrown = (error: unknown) => toWireError(error, { stack: true })
const canary = 'canary at /srv/app/src/secret.ts'

class PaymentError extends RemoteError {}

describe('a browser gets', () => {
  const meant: [what: string, wire: WireError, shown: object][] = [
    [
      'what the author meant for it',
      thrown(new RemoteError('OUT_OF_STOCK', 'none left', { data: { left: 0 }, hint: 'come back' })),
      { code: 'OUT_OF_STOCK', message: 'none left', data: { left: 0 }, hint: 'come back' },
    ],
    [
      'data that is not plain',
      thrown(new RemoteError('LATER', 'at noon', { data: new Map([['at', 12n]]) })),
      { code: 'LATER', rich: expect.stringContaining('Map') },
    ],
    [
      'a class of its own',
      thrown(new PaymentError('CARD', 'declined')),
      { code: 'CARD', message: 'declined' },
    ],
    [
      'what does not fit the schema of the input',
      thrown(new AppError('BAD_INPUT', { message: 'n: too small', data: { issues: [{ path: 'n' }] } })),
      { code: 'BAD_INPUT', message: 'n: too small', data: { issues: [{ path: 'n' }] } },
    ],
    [
      'that time was up',
      thrown(new AppError('TIMEOUT', { message: 'ran too long' })),
      { code: 'TIMEOUT', message: 'the call did not finish in time and was cancelled' },
    ],
    [
      'that it was cancelled',
      thrown(new AppError('CANCELLED', { message: 'was cancelled' })),
      { code: 'CANCELLED' },
    ],
    [
      'a code of the author that is a name of Object.prototype',
      thrown(new RemoteError('constructor', 'odd')),
      { code: 'constructor' },
    ],
  ]
  for (const [what, wire, wanted] of meant) {
    test(what, () => {
      const { shown, onError } = show(wire)
      expect(shown).toMatchObject({ name: 'RemoteError', ...wanted })
      expect(shown).not.toHaveProperty('stack')
      expect(onError).not.toHaveBeenCalled()
    })
  }

  test('a cause that was meant for it too, and none that was not', () => {
    const inner = new RemoteError('INNER', 'seen', { cause: new Error(canary) })
    const { shown } = show(thrown(new RemoteError('OUTER', 'seen', { cause: inner })))
    expect(shown.cause).toMatchObject({ code: 'INNER', message: 'seen' })
    expect(shown.cause).not.toHaveProperty('cause')
    expect(JSON.stringify(shown)).not.toMatch(/canary|secret|stack/)
    const hidden = show(thrown(new RemoteError('OUTER', 'seen', { cause: new TypeError(canary) }))).shown
    expect(hidden).not.toHaveProperty('cause')
  })

  const behind = [
    'ENDPOINT_NOT_DEPLOYED',
    'TRANSPORT',
    'SUBMIT_UNKNOWN',
    'STREAM_LOST',
    'BAD_RESULT',
    'WORKER_LOST',
  ] as const
  for (const code of behind) {
    test(`of ${code} the code alone`, () => {
      const { shown, onError } = show(
        thrown(new AppError(code, { message: canary, hint: canary, data: { canary } })),
      )
      expect(shown).toMatchObject({ code, data: { requestId: onError.mock.calls[0]![1] } })
      expect(JSON.stringify(shown)).not.toContain('canary')
      expect(onError.mock.calls[0]![0]).toMatchObject({ code, message: canary, data: { canary } })
    })
  }

  for (const code of ['CANCELLED', 'JOB_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'TIMEOUT'] as const) {
    const leaky = new AppError(code, {
      message: canary,
      hint: canary,
      data: { canary, size: canary, limit: 5 },
      cause: new RemoteError('OWN', canary),
    })

    test(`of ${code} what it means, and nothing that a queue or a worker said about it`, () => {
      const { shown, onError } = show(thrown(leaky))
      expect(shown).toEqual({ name: 'RemoteError', code, message: expect.stringMatching(/^the \w+/) })
      expect(onError).not.toHaveBeenCalled()
      const nested = show(thrown(new RemoteError('OUTER', 'seen', { cause: leaky }))).shown
      expect(nested.cause).toEqual(shown)
      const { message, hint, data } = createErrorFilter(vi.fn()).toPublic(leaky)
      expect([message, hint, data]).toEqual([shown.message, undefined, undefined])
    })
  }

  test('the sizes of a call that is too large, and nothing else of it', () => {
    const data = { size: 12, limit: 10, host: canary }
    const tooLarge = new AppError('PAYLOAD_TOO_LARGE', { message: canary, hint: canary, data })
    const shown = createErrorFilter(vi.fn()).toPublic(tooLarge)
    expect(shown.data).toEqual({ size: 12, limit: 10 })
    expect(shown.message).toMatch(/12 bytes.* 10 /)
    expect(shown.message + shown.hint).not.toContain('canary')
  })

  const hidden: [what: string, wire: unknown][] = [
    ['an error', thrown(new Error(canary))],
    ['an error of the system', thrown(Object.assign(new Error(canary), { code: 'ENOENT' }))],
    [
      'an error that calls itself otherwise',
      thrown(Object.assign(new Error(canary), { name: 'PaymentError', code: 'CARD' })),
    ],
    ['many errors at once', thrown(new AggregateError([new RemoteError('A', canary)], canary))],
    ['a text that was thrown', thrown(canary)],
    ['an abort', thrown(new DOMException(canary, 'AbortError'))],
    ['a failed setup', thrown(new AppError('SETUP_FAILED', { message: canary, cause: new Error(canary) }))],
    [
      'a result that does not fit',
      thrown(new AppError('OUTPUT_INVALID', { message: canary, data: { issues: [canary] } })),
    ],
    ['a worker that crashed, with its output', thrown(new AppError('WORKER_CRASHED', { message: canary }))],
    [
      'a module that does not load',
      thrown(new AppError('MODULE_FAILED', { message: canary, data: { frame: canary } })),
    ],
    ['another function that is not found', thrown(new RemoteError('UNKNOWN_FUNCTION', canary))],
    ['a refusal of another server', thrown(new RemoteError('FORBIDDEN', canary))],
    ['a RemoteError without a code', { name: 'RemoteError', message: canary }],
    ['a code that is no text', { name: 'RemoteError', message: canary, code: 7 }],
    ['no error at all', null],
    ['a list', [canary]],
  ]
  for (const [what, wire] of hidden) {
    test(`of ${what} nothing but an id`, () => {
      const { shown, onError } = show(wire)
      const [error, requestId] = onError.mock.calls[0]!
      expect(shown).toEqual({
        name: 'RemoteError',
        code: 'INTERNAL',
        message: expect.stringContaining(requestId),
        data: { requestId },
      })
      expect(error).toBeInstanceOf(Error)
    })
  }

  test('nothing of an error that cannot be read', () => {
    for (const broken of ['{', '[["Error",1],{}]']) {
      const onError = vi.fn()
      const { message } = createErrorFilter(onError)
      const rich = broken !== '{'
      const shown = message({ type: FrameType.error, rich, text: broken, parts: [] }, 'ocr/1')!
      expect(JSON.parse(shown.text).code).toBe('INTERNAL')
      expect(onError.mock.calls[0]![0].message).toContain(broken)
    }
  })
})

test('many failures are remembered, and the oldest are forgotten first', () => {
  const onError = vi.fn()
  const { message } = createErrorFilter(onError)
  const fail = (job: number) => message(json(FrameType.error, { name: 'Error', message: 'x' }), `ocr/${job}`)
  for (let job = 0; job < 1_001; job++) fail(job)
  fail(1_000)
  expect(onError).toHaveBeenCalledTimes(1_001)
  fail(0)
  expect(onError).toHaveBeenCalledTimes(1_002)
})

test('errors are printed whole where nobody else takes them', () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  const error = new Error(canary, { cause: new Error('why') })
  const requestId = createErrorFilter().report(error)
  expect(print.mock.calls).toEqual([[expect.stringContaining(requestId), error]])
  print.mockRestore()
})
