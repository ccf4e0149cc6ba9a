import { AppError } from '@flash/protocol'
import { expect, test } from 'vitest'
import { toErrorText, toItem, toResult, toStreamErrorText } from './result.ts'

const source = { hostname: 'h', workerId: 'w', version: '1' }

for (const [what, value, result] of [
  ['a number', 5, { output: 5 }],
  ['zero', 0, { output: 0 }],
  ['a text', 'x', { output: 'x' }],
  ['an empty text', '', { output: '' }],
  ['a bool', false, { output: false }],
  ['null', null, { output: null }],
  ['nothing', undefined, { output: null }],
  ['a list', [1, { error: 'x' }], { output: [1, { error: 'x' }] }],
  ['an empty list', [], { output: [] }],
  ['an object', { a: 1 }, { output: { a: 1 } }],
  ['an empty object', {}, {}],
  ['an error beside more', { error: 'bad', a: 1 }, { output: { a: 1 }, error: 'bad' }],
  ['only an error', { error: 'bad' }, { error: 'bad' }],
  ['an error that is an object', { error: { code: 1 } }, { error: { code: 1 } }],
  ['an error that is null', { error: null, a: 1 }, { output: { a: 1 } }],
  ['an error that is empty', { error: '', a: 1 }, { output: { a: 1 } }],
  ['an error that is an empty list', { error: [], a: 1 }, { output: { a: 1 } }],
  ['only an error that is null', { error: null }, {}],
  ['a refresh', { refresh_worker: true, a: 1 }, { output: { a: 1 }, stopPod: true }],
  ['only a refresh', { refresh_worker: true }, { stopPod: true }],
  ['no refresh', { refresh_worker: false, a: 1 }, { output: { a: 1 } }],
  ['error and refresh', { error: 'bad', refresh_worker: 1 }, { error: 'bad', stopPod: true }],
  ['an error further inside', { a: { error: 'x' } }, { output: { a: { error: 'x' } } }],
  ['a date', { at: new Date(0) }, { output: { at: '1970-01-01T00:00:00.000Z' } }],
  ['bytes', new Uint8Array([1]), { output: 'AQ==' }],
  ['what JSON leaves out', { a: undefined, b: Number.NaN }, { output: { b: null } }],
] as const) {
  test(`what a handler returns: ${what}`, async () => expect(await toResult(value, source)).toEqual(result))
}

test('a returned error object is written as a thrown one', async () => {
  const { error, output } = await toResult({ error: new RangeError('far'), a: 1 }, source)
  expect(JSON.parse(error as string)).toMatchObject({ error_type: 'RangeError', error_message: 'far' })
  expect(output).toEqual({ a: 1 })
})

test('what plain JSON cannot say is named with its path', async () => {
  await expect(toResult({ a: [new Map()] }, source)).rejects.toMatchObject({
    code: 'OUTPUT_NOT_JSON',
    message: expect.stringContaining('a[0]'),
  })
})

for (const [what, value, item] of [
  ['a value', { a: 1 }, { json: '{"a":1}' }],
  ['nothing', undefined, { json: 'null' }],
  ['an error', { error: 'bad', a: 1 }, { error: 'bad' }],
  ['an error that is no text', { error: { code: 1 } }, { error: '{"code":1}' }],
  ['an error that is null', { error: null }, { json: '{"error":null}' }],
  ['an empty object', {}, { json: '{}' }],
] as const) {
  test(`an item: ${what}`, async () => expect(await toItem(value, source)).toEqual(item))
}

test('the text of an error has the keys of the platform', () => {
  class TooDark extends Error {}
  const error = new TooDark('dark')
  expect(JSON.parse(toErrorText(error, source))).toEqual({
    error_type: 'TooDark',
    error_message: 'dark',
    error_traceback: error.stack,
    hostname: 'h',
    worker_id: 'w',
    runpod_version: '1',
  })
  expect(toStreamErrorText(error)).toBe(`handler: dark \ntraceback: ${error.stack}`)
})

const circle: { self?: unknown } = {}
circle.self = circle

for (const [what, thrown, type, message] of [
  ['a text', 'no', 'string', 'no'],
  ['nothing', undefined, 'undefined', 'undefined'],
  ['an object', { code: 1 }, 'object', '{"code":1}'],
  ['an object that cannot be shown', circle, 'object', 'a value that cannot be shown'],
  [
    'an error without a class of its own',
    Object.assign(new Error('e'), { constructor: null, name: 'Odd' }),
    'Odd',
    'e',
  ],
  [
    'an error without stack',
    Object.assign(new AppError('INTERNAL', { message: 'm' }), { stack: undefined }),
    'INTERNAL',
    'm',
  ],
  ['an error of odd parts', Object.assign(new Error('x'), { message: 7, stack: 5n }), 'Error', '7'],
  [
    'an error that cannot be read',
    Object.defineProperty(new Error('x'), 'stack', {
      get() {
        throw new Error('no')
      },
    }),
    'object',
    'a value that cannot be shown',
  ],
] as const) {
  test(`the text of what is thrown: ${what}`, () => {
    expect(JSON.parse(toErrorText(thrown, source))).toMatchObject({
      error_type: type,
      error_message: message,
    })
    expect(toStreamErrorText(thrown)).toContain(`handler: ${message} `)
  })
}
