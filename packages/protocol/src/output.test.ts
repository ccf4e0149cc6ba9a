import { describe, expect, test } from 'vitest'
import type { Encoded } from './codec/encode.ts'
import { toWireError } from './codec/encode.ts'
import { decodeInline, decodeValue } from './codec/decode.ts'
import { fromWireError } from './codec/error.ts'
import { writeForeign, writeRouteResult } from './codec/foreign.ts'
import { decodeLimits } from './codec/limits.ts'
import { AppError, RemoteError } from './error.ts'
import { encodeOutput, openOutput, readFailure, readOutput, writeFailure, writeOutput } from './output.ts'

const ours = (value: unknown) => writeOutput(encodeOutput(value, { foreign: false }) as Encoded)
const theirs = async (value: unknown) => writeOutput(await encodeOutput(value, { foreign: true }))

function refusal(run: () => unknown): AppError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was written')
}

describe('a result on the queue', () => {
  test.each<[unknown, string]>([
    [{ a: [1, null] }, '{"a":[1,null]}'],
    [null, 'null'],
    ['{}', '"{}"'],
    [[{ error: 'x' }], '[{"error":"x"}]'],
    [{ a: { error: 1 } }, '{"a":{"error":1}}'],
    [{ a: '"error"' }, String.raw`{"a":"\"error\""}`],
    [[], '[]'],
  ])('is plain JSON where that says it all: %#', (value, wanted) => {
    expect(ours(value)).toBe(wanted)
    expect(readOutput(JSON.parse(wanted))).toEqual(value)
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a date', new Date(5)],
    ['bytes', { bytes: new Uint8Array([1, 2]) }],
    ['an object the platform would take for a failure', { error: 'x', rest: 1 }],
    ['an object the platform would take for a wish', { refresh_worker: false }],
    ['an object the platform would drop', {}],
    ['an object that looks like ours', { 'flash:value': 'x' }],
    ['an error', new RemoteError('X', 'x')],
  ])('is devalue text in an object for %s', (_, value) => {
    const output = JSON.parse(ours(value))
    expect(Object.keys(output)).toEqual(['flash:value'])
    expect(readOutput(output)).toEqual(value)
    const opened = openOutput(output)
    expect(decodeValue(opened.rich, opened.text, opened.parts, { direction: 'out' })).toEqual(value)
  })

  test('can be passed on without being read', () => {
    expect(openOutput({ a: 1 })).toEqual({ rich: false, text: '{"a":1}', parts: [] })
    expect(openOutput(undefined)).toEqual({ rich: false, text: 'null', parts: [] })
    expect(openOutput({ 'flash:value': '-1' })).toEqual({ rich: true, text: '-1', parts: [] })
  })

  test.each([{ 'flash:value': 5 }, { 'flash:value': '-1', more: 1 }, ['flash:value'], 'flash:value', null])(
    'is what it is when it only looks like ours: %#',
    (output) => expect(readOutput(output)).toBe(output),
  )

  test('that is damaged is refused', () => {
    expect(refusal(() => readOutput({ 'flash:value': '[[9]]' })).code).toBe('BAD_RESULT')
  })
})

describe('a result for a foreign caller', () => {
  const shared = { a: 1 }
  test.each<[string, unknown, unknown]>([
    ['plain data', { a: [1] }, { a: [1] }],
    ['nothing', undefined, null],
    ['undefined', { a: undefined, b: [undefined] }, { b: [null] }],
    ['numbers JSON has not', [Number.NaN, Infinity, -0], [null, null, 0]],
    ['dates', [new Date(0), new Date(Number.NaN)], ['1970-01-01T00:00:00.000Z', null]],
    ['a URL', new URL('http://x/y'), 'http://x/y'],
    ['bytes', { a: new Uint8Array([1, 2]), b: new Uint16Array([1]).buffer }, { a: 'AQI=', b: 'AQA=' }],
    ['a window on bytes', new Uint8Array([0, 1, 2, 3]).subarray(1, 3), 'AQI='],
    ['files', [new File(['ab'], 'x'), new Blob(['c'])], ['YWI=', 'Yw==']],
    ['sharing', [shared, shared], [{ a: 1 }, { a: 1 }]],
    ['holes', Object.assign([], { 1: 1 }), [null, 1]],
  ])('%s', async (_, value, wanted) => {
    expect(JSON.parse(await theirs(value))).toEqual(wanted)
    expect(await writeForeign(value)).toEqual(wanted)
  })

  test('is wrapped as well where the platform would alter it', async () => {
    const output = JSON.parse(await theirs({ error: new Date(0) }))
    expect(readOutput(output)).toEqual({ error: '1970-01-01T00:00:00.000Z' })
  })

  const cycle: Record<string, unknown> = {}
  cycle.list = [cycle]
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
  test.each<[string, unknown, RegExp]>([
    ['a map', { a: new Map() }, /^result\.a is a Map, which plain JSON cannot say$/],
    ['a set', [new Set()], /^result\[0\] is a Set/],
    ['a bigint', { a: { b: 1n } }, /^result\.a\.b is a bigint/],
    ['a cycle', cycle, /^result\.list\[0\] contains itself/],
    ['an error', new Error('x'), /^result is an Error/],
    ['a function', { f() {} }, /^result\.f is a function/],
    [
      'a class',
      {
        u: new (class User {
          name = 'x'
        })(),
      },
      /^result\.u is an instance of class User/,
    ],
    ['a form', new FormData(), /^result is a FormData/],
    ['a forbidden key', { constructor: new Date(0) }, /^result\.constructor has a key/],
    ['too many levels', nested(65), /nested deeper than 64/],
    ['too long a list', Object.assign([], { 4_000_000: 1 }), /4000001 items/],
  ])('%s is refused with its path', (_, value, message) => {
    const error = refusal(() => writeForeign(value))
    expect(error.code).toBe('OUTPUT_NOT_JSON')
    expect(error.message).toMatch(message)
  })
})

describe('a result of a route', () => {
  test('has every key that it has, and no other prototype', () => {
    const given = JSON.parse('{"__proto__":{"a":1},"constructor":2,"prototype":[{"__proto__":3}]}')
    const written = writeRouteResult({ given, at: new Date(0) }) as { given: object }
    expect(JSON.stringify(written.given)).toBe(JSON.stringify(given))
    expect(Object.getPrototypeOf(written.given)).toBe(Object.prototype)
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })

  test('that JSON cannot say is refused with its path, and no other way to call it is told', () => {
    const error = refusal(() => writeRouteResult({ list: [new Map()] }))
    expect(error).toMatchObject({ code: 'OUTPUT_NOT_JSON', data: { path: 'result.list[0]' } })
    expect(error.hint).not.toContain('stub')
  })
})

test('sharing cannot multiply without end for a foreign caller', () => {
  let value: unknown = [new Date(0)]
  for (let level = 0; level < 60; level++) value = [value, value]
  expect(refusal(() => writeForeign(value, { ...decodeLimits, values: 1_000 })).message).toMatch(
    /more than 1000 values/,
  )
})

describe('a failure on the queue', () => {
  const error = new RemoteError('NO_PAPER', 'out of paper', {
    data: { at: new Date(5) },
    cause: new TypeError('tray'),
    hint: 'refill',
  })

  test('has the keys of the platform and ours beside them', () => {
    const text = writeFailure(toWireError(error, { stack: false }), {
      hostname: 'h',
      workerId: 'w',
      version: 'flash 1',
    })
    expect(JSON.parse(text)).toMatchObject({
      error_type: 'RemoteError',
      error_message: 'out of paper',
      error_traceback: 'RemoteError: out of paper',
      hostname: 'h',
      worker_id: 'w',
      runpod_version: 'flash 1',
      flash: { code: 'NO_PAPER', cause: { name: 'TypeError', message: 'tray' } },
    })
    expect(JSON.parse(writeFailure({ name: 'Error', message: 'x' }))).toMatchObject({
      hostname: 'unknown',
      worker_id: 'unknown',
      runpod_version: 'unknown',
    })
  })

  test('comes back as it was', () => {
    const back = fromWireError(readFailure(writeFailure(toWireError(error, { stack: false }))), decodeInline)
    expect(back).toBeInstanceOf(RemoteError)
    expect(back).toMatchObject({
      code: 'NO_PAPER',
      message: 'out of paper',
      hint: 'refill',
      data: { at: new Date(5) },
    })
    expect(back.cause).toBeInstanceOf(TypeError)
  })

  test('keeps having no code when it had none, and a stack only where one was sent', () => {
    const wire = toWireError(new TypeError('x'), { stack: true })
    expect(readFailure(writeFailure(wire))).toEqual(wire)
    expect(readFailure(writeFailure({ name: 'TypeError', message: 'x' }))).toEqual({
      name: 'TypeError',
      message: 'x',
    })
  })

  test.each<[string, unknown, Record<string, unknown>]>([
    [
      'of a Python worker',
      JSON.stringify({
        error_type: "<class 'torch.cuda.OutOfMemoryError'>",
        error_message: 'no memory',
        error_traceback: 'Traceback …',
      }),
      { name: 'OutOfMemoryError', message: 'no memory', stack: 'Traceback …', code: 'FUNCTION_FAILED' },
    ],
    [
      'of a type without dots',
      JSON.stringify({ error_type: "<class 'ValueError'>", error_message: 'x' }),
      { name: 'ValueError' },
    ],
    ['of another type', JSON.stringify({ error_type: 'Oops', error_message: 'x' }), { name: 'Oops' }],
    [
      'without a type',
      JSON.stringify({ error_message: 'x', flash: [] }),
      { name: 'RemoteError', message: 'x' },
    ],
    [
      'that is a sentence',
      'job timed out',
      { name: 'RemoteError', message: 'job timed out', code: 'FUNCTION_FAILED' },
    ],
    ['that is a JSON text', '"quoted"', { message: '"quoted"' }],
    ['that is the JSON null', 'null', { message: 'null' }],
    ['of other keys', '{"detail":"x"}', { message: '{"detail":"x"}' }],
    ['that is an object already', { error_message: 'x' }, { message: 'x' }],
    ['that says nothing', '', { message: 'the job failed without saying why' }],
    ['that is not there', undefined, { message: 'the job failed without saying why' }],
  ])('%s is read as well', (_, failure, wanted) => {
    expect(readFailure(failure)).toMatchObject(wanted)
  })
})
