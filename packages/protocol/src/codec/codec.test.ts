import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { AppError, RemoteError } from '../error.ts'
import { encodeMessage, encodeMessageChunks, FrameType } from '../frames.ts'
import { decodeInline, decodeValue } from './decode.ts'
import { type Encoded, encodeForFetch, encodeValue, inlineText } from './encode.ts'
import { decodeLimits } from './limits.ts'
import type { Direction } from './tags.ts'

async function roundTrip(value: unknown, direction: Direction = 'in', inline = false): Promise<unknown> {
  const { rich, text, parts } = await encodeValue(value, direction, { inline })
  return decodeValue(rich, text, parts, { direction })
}

function refusalOf(value: unknown, direction: Direction = 'in'): AppError {
  try {
    encodeForFetch(value, direction)
  } catch (error) {
    return error as AppError
  }
  throw new Error('it was carried')
}

const encodeNow = (value: unknown, options = {}) => encodeValue(value, 'in', options) as Encoded

describe('plain JSON', () => {
  test.each([
    ['a text', 'a'],
    ['null', null],
    ['numbers', [0, 1.5, -3, 1e21]],
    ['nested objects', { a: [{ b: null }, true, ''] }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['objects of another realm', runInNewContext('({ a: [1, { b: 2 }] })')],
    ['a lone surrogate', ['\ud800']],
    ['a key that is an Object method', { toString: 1, hasOwnProperty: 2 }],
  ])('is used for %s', async (_, value) => {
    const encoded = encodeNow(value)
    expect(encoded).toEqual({ rich: false, text: JSON.stringify(value), parts: [] })
    expect(await roundTrip(value)).toEqual(JSON.parse(JSON.stringify(value)))
  })

  const shared = { a: 1 }
  test.each([
    ['undefined', [undefined]],
    ['undefined in an object', { a: undefined }],
    ['a hole', Object.assign([], { 1: 1 })],
    ['-0', [-0]],
    ['NaN', [Number.NaN]],
    ['a shared object', [shared, shared]],
    ['a bigint', 1n],
    ['a date', new Date(0)],
  ])('is not used for %s', (_, value) => {
    expect(encodeNow(value).rich).toBe(true)
  })

  test('is not used when asked for rich text', () => {
    expect(encodeNow([1], { rich: true })).toEqual({ rich: true, text: '[[1],1]', parts: [] })
  })
})

describe('rich values come back as they were', () => {
  const shared = { name: 'shared' }
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['infinities', [Infinity, -Infinity]],
    ['a bigint', [-(10n ** 40n), 0n]],
    ['dates', [new Date(0), new Date(Number.NaN)]],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Map([[1, undefined]])],
      ]),
    ],
    ['a set', new Set([1, 'a', new Set([null])])],
    ['a URL', new URL('https://user@example.org:81/a?b=c#d')],
    ['holes', Object.assign([], { 1: 1, 3: 2, length: 5 })],
    ['a sparse array', Object.assign([], { 5_000: 'x' })],
    ['sharing', [shared, { shared }, shared]],
    ['a buffer', new Uint8Array([1, 2, 3]).buffer],
    [
      'views of each kind',
      [
        new Int8Array([-1]),
        new Uint8Array([255]),
        new Uint8ClampedArray([9]),
        new Int16Array([-300]),
        new Uint16Array([65_535]),
        new Int32Array([-70_000]),
        new Uint32Array([4_000_000_000]),
        new Float32Array([1.5]),
        new Float64Array([Math.PI]),
        new BigInt64Array([-5n]),
        new BigUint64Array([5n]),
        new Uint8Array(0),
      ],
    ],
  ])('%s', async (_, value) => {
    expect(await roundTrip(value)).toEqual(value)
    expect(await roundTrip(value, 'out')).toEqual(value)
    expect(await roundTrip(value, 'in', true)).toEqual(value)
  })

  test('data of another realm becomes data of this one', async () => {
    const foreign = runInNewContext(
      '[new Map([[1, new Date(5)]]), new Set([2]), new Uint8Array([3]), undefined]',
    )
    expect(await roundTrip(foreign)).toEqual([
      new Map([[1, new Date(5)]]),
      new Set([2]),
      new Uint8Array([3]),
      undefined,
    ])
  })

  test('reactive proxies travel as what they stand for', async () => {
    const reactive = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(of, key) {
          const value: unknown = Reflect.get(of, key, of)
          return typeof value === 'function' ? value.bind(of) : value
        },
      })
    const value = reactive({
      map: reactive(new Map([[1, { a: 1 }]])),
      set: reactive(new Set([1])),
      list: reactive([1, undefined]),
    })
    expect(await roundTrip(value)).toEqual({
      map: new Map([[1, { a: 1 }]]),
      set: new Set([1]),
      list: [1, undefined],
    })
  })

  test('-0 keeps its sign', async () => {
    expect(Object.is(await roundTrip(-0), -0)).toBe(true)
  })

  test('sharing and cycles keep identity', async () => {
    const cycle: Record<string, unknown> = { list: [] }
    cycle.self = cycle
    ;(cycle.list as unknown[]).push(cycle)
    const [a, b] = (await roundTrip([cycle, cycle])) as [typeof cycle, typeof cycle]
    expect(a).toBe(b)
    expect(a.self).toBe(a)
    expect((a.list as unknown[])[0]).toBe(a)
  })

  test('one view at two places is one view', async () => {
    const view = new Uint8Array([1])
    const [a, b] = (await roundTrip([view, view])) as Uint8Array[]
    expect(a).toBe(b)
  })

  test('a data view keeps its window', async () => {
    const buffer = new Uint8Array([0, 1, 2, 3]).buffer
    const view = (await roundTrip([new DataView(buffer, 1, 2)])) as [DataView]
    expect([view[0].byteLength, view[0].getUint8(0)]).toEqual([2, 1])
  })

  test('Float16Array, where the runtime has it', async () => {
    const { Float16Array } = globalThis as { Float16Array?: new (items: number[]) => ArrayBufferView }
    if (!Float16Array)
      expect(() => decodeValue(true, '[["Bytes",1],[2,3],"Float16Array",0]', [new Uint8Array(2)])).toThrow(
        /no kind/,
      )
    else expect(await roundTrip([new Float16Array([1.5])])).toEqual([new Float16Array([1.5])])
  })

  test('a subclass of a view, as Buffer is one, travels as what it extends', async () => {
    const [back] = (await roundTrip([Buffer.from('hey')])) as [Uint8Array]
    expect(back.constructor).toBe(Uint8Array)
    expect(new TextDecoder().decode(back)).toBe('hey')
  })

  test('an object whose tag says something else is what it is', async () => {
    const value = Object.defineProperty({ a: undefined }, Symbol.toStringTag, {
      value: 'Map',
      enumerable: false,
    })
    expect(await roundTrip(value)).toEqual({ a: undefined })
  })
})

describe('bytes', () => {
  test('a mebibyte costs its own size on the wire, and less than 200 bytes more', () => {
    const bytes = new Uint8Array(1 << 20).fill(7)
    const message = encodeMessage({ type: FrameType.call, ...encodeNow([bytes]) })
    expect(message.length - bytes.length).toBeLessThan(200)
  })

  test('only the window of a view is sent, not the buffer behind it', () => {
    const large = new Uint8Array(65_536).fill(1)
    const { parts } = encodeNow([large.subarray(10, 12)])
    expect(parts[0]!.byteLength).toBe(2)
    expect(parts[0]!.buffer.byteLength).toBe(2)
  })

  test('what was encoded does not change with the original', async () => {
    const bytes = new Uint8Array([1])
    const encoded = encodeNow([bytes])
    bytes[0] = 2
    expect(decodeValue(true, encoded.text, encoded.parts)).toEqual([new Uint8Array([1])])
  })

  test('borrowed parts are the memory of the caller', () => {
    const bytes = new Uint8Array([1, 2, 3])
    expect(encodeNow([bytes.subarray(1)], { borrow: true }).parts[0]!.buffer).toBe(bytes.buffer)
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    expect(encodeNow([shared], { borrow: true }).parts[0]!.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test('a decoded view takes over a part that has its own buffer, and copies a window', () => {
    const own = new Uint8Array([1, 2])
    const [view] = decodeValue(true, '[[1],["Bytes",2],[3,4],"Uint8Array",0]', [own]) as [Uint8Array]
    expect(view.buffer).toBe(own.buffer)
    const window = new Uint8Array([9, 1, 2, 3, 4]).subarray(1)
    const [words] = decodeValue(true, '[[1],["Bytes",2],[3,4],"Uint32Array",0]', [window]) as [Uint32Array]
    expect(new Uint8Array(words.buffer)).toEqual(new Uint8Array([1, 2, 3, 4]))
  })

  test('inline text is JSON with the bytes at its end', () => {
    const encoded = encodeNow([new Uint8Array([1, 2]), new Uint8Array(0)])
    const inline = encodeNow([new Uint8Array([1, 2]), new Uint8Array(0)], { inline: true })
    expect(inline).toEqual({ rich: true, text: inlineText(encoded), parts: [] })
    expect(JSON.parse(inline.text).slice(-2)).toEqual(['AQI=', ''])
  })

  test('base64 without Buffer is the same', async () => {
    const bytes = new Uint8Array(100_000).map((_, index) => index * 7)
    const { text } = encodeNow([bytes], { inline: true })
    vi.stubGlobal('Buffer', undefined)
    const bare = { text: encodeNow([bytes], { inline: true }).text, value: decodeValue(true, text) }
    vi.unstubAllGlobals()
    expect(bare).toEqual({ text, value: [bytes] })
  })
})

describe('files', () => {
  const file = new File(['content'], 'a ü.txt', { type: 'text/plain', lastModified: 1_234 })
  const describeFile = async (value: unknown) => {
    const { name, type, lastModified } = value as File
    return { name, type, lastModified, text: await (value as File).text() }
  }
  const wanted = { name: 'a ü.txt', type: 'text/plain', lastModified: 1_234, text: 'content' }

  test.each([false, true])('a file and a blob, inline %s', async (inline) => {
    const [back, blob] = (await roundTrip([file, new Blob(['b'], { type: 'x/y' })], 'in', inline)) as [
      File,
      Blob,
    ]
    expect(back).toBeInstanceOf(File)
    expect(await describeFile(back)).toEqual(wanted)
    expect([blob instanceof File, blob.type, await blob.text()]).toEqual([false, 'x/y', 'b'])
  })

  test('a form inside other values, with files and repeated names', async () => {
    const form = new FormData()
    form.append('a', '1')
    form.append('a', '2')
    form.append('file', file)
    const [{ map }] = (await roundTrip([{ map: new Map([['form', form]]) }])) as [
      { map: Map<string, FormData> },
    ]
    const back = map.get('form')!
    expect(back.getAll('a')).toEqual(['1', '2'])
    expect(await describeFile(back.get('file'))).toEqual(wanted)
  })

  test('a form of texts needs no waiting', () => {
    const form = new FormData()
    form.append('a', '1')
    expect(encodeValue([form], 'in')).not.toBeInstanceOf(Promise)
  })

  test('one file at two places is read once', async () => {
    const { parts } = await encodeValue([file, file], 'in')
    expect(parts).toHaveLength(1)
  })

  test('the variant for fetch leaves blobs unread, in a body that is right', async () => {
    const { rich, text, parts } = encodeForFetch([file, new Uint8Array([1])], 'in')
    expect(parts[0]).toBe(file)
    const chunks = encodeMessageChunks({ type: FrameType.call, rich, text, parts })
    const body = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
    const read = await encodeValue([file, new Uint8Array([1])], 'in')
    expect(body).toEqual(encodeMessage({ type: FrameType.call, ...read }))
  })

  test('a blob of an environment that cannot read it is read by its FileReader', async () => {
    class FakeReader extends EventTarget {
      result?: ArrayBuffer
      error = new Error('unreadable')
      readAsArrayBuffer(blob: { bytes?: ArrayBuffer }) {
        this.result = blob.bytes
        queueMicrotask(() => this.dispatchEvent(new Event(blob.bytes ? 'load' : 'error')))
      }
    }
    vi.stubGlobal('FileReader', FakeReader)
    const blob = {
      size: 1,
      type: '',
      slice() {},
      bytes: new Uint8Array([7]).buffer,
      [Symbol.toStringTag]: 'Blob',
    }
    const foreign = (bytes?: ArrayBuffer) => Object.assign(Object.create({}), blob, { bytes })
    expect((await encodeValue([foreign(blob.bytes)], 'in')).parts).toEqual([new Uint8Array([7])])
    await expect(encodeValue([foreign()], 'in')).rejects.toThrow('unreadable')
    vi.unstubAllGlobals()
  })
})

describe('what does not travel is refused with its path', () => {
  class User {
    name = 'x'
  }
  class Tagged {
    get [Symbol.toStringTag]() {
      return 'Map'
    }
  }
  const nameless = Object.create({ a: 1 })
  const unreadable = Object.create({
    get constructor() {
      throw new Error('no')
    },
  })
  test.each(
    (
      [
        [[{ deep: { cb: () => {} } }], 'argument 0.deep.cb is a function'],
        [[1, class Empty extends Map {}], 'argument 1 is a class'],
        [[[0, [Symbol('s')]]], 'argument 0[1][0] is a symbol'],
        [[{ 'a b': /x/ }], 'argument 0["a b"] is a RegExp'],
        [
          [new Map<unknown, unknown>([['k', new User()]])],
          'argument 0.get("k") is an instance of class User',
        ],
        [[new Map<unknown, unknown>([[{}, () => {}]])], 'argument 0.values()[0] is a function'],
        [[new Map<unknown, unknown>([[new User(), 1]])], 'argument 0.keys()[0] is an instance of class User'],
        [[new Set([1, Promise.resolve()])], 'argument 0.values()[1] is a Promise'],
        [[new (class Mine extends Map {})()], 'argument 0 is an instance of class Mine'],
        [[new (class List extends Array {})()], 'argument 0 is an instance of class List'],
        [[new Tagged()], 'argument 0 is an instance of class Tagged'],
        [[new WeakMap()], 'argument 0 is a WeakMap'],
        [[new Error('x')], 'argument 0 is an Error'],
        [[new TypeError('x')], 'argument 0 is an instance of class TypeError'],
        [[new URLSearchParams()], 'argument 0 is a URLSearchParams'],
        [[new String('x')], 'argument 0 is a String object'],
        [[(function* () {})()], 'argument 0 is a Generator'],
        [[new SharedArrayBuffer(1)], 'argument 0 is a SharedArrayBuffer'],
        [[nameless], 'argument 0 is an object with a prototype of its own'],
        [[unreadable], 'argument 0 is an object with a prototype of its own'],
        [[{ [Symbol('key')]: 1 }], 'argument 0[Symbol(key)] has a symbol as its key'],
        [[JSON.parse('{"a":{"__proto__":1}}')], 'argument 0.a.__proto__ has a key'],
        [[{ constructor: 1 }], 'argument 0.constructor has a key'],
        [{ args: [{ ümlaut: () => {} }] }, 'argument 0.ümlaut is a function'],
        [{ args: [1], new: [[() => {}]] }, 'constructor argument 0[0] is a function'],
        [{ other: () => {} }, 'argument.other is a function'],
        [() => {}, 'argument is a function'],
      ] as [unknown, string][]
    ).map(([value, message]) => ({ message, value })),
  )('$message', ({ message, value }) => {
    const error = refusalOf(value)
    expect(error.code).toBe('CANNOT_CARRY')
    expect(error.message).toContain(message)
    expect(error.hint).toBeTruthy()
    expect(message.startsWith((error.data as { path: string }).path)).toBe(true)
  })

  test('results say so', () => {
    const value = { items: [1, 2, 3, { fn() {} }] }
    expect(refusalOf(value, 'out').message).toBe('result.items[3].fn is a function, which flash cannot carry')
    expect(refusalOf(() => {}, 'out').message).toBe('result is a function, which flash cannot carry')
  })

  test('an object with toJSON has a function', () => {
    expect(refusalOf([{ toJSON: () => 1 }]).message).toContain('argument 0.toJSON')
  })
})

describe('what is too much is refused before it is sent', () => {
  const nested = (levels: number) => {
    let value: unknown = new Date(0)
    for (let level = 0; level < levels; level++) value = [value]
    return value
  }
  const doubled = (levels: number) => {
    let value: unknown = []
    for (let level = 0; level < levels; level++) value = Array(10).fill(value)
    return value
  }
  test.each<[string, unknown, RegExp]>([
    ['levels', nested(65), /deeper than 64/],
    ['shared objects', doubled(30), /each shared object written out/],
    ['digits', [10n ** 10_000n], /more than 10000 digits/],
    ['digits of a bigint that takes long to write', [1n << 4_000_000n], /more than 10000 digits/],
    ['length', [Object.assign([], { 4_000_000: 1 })], /4000001 items/],
    ['entries', [new Set(Array.from({ length: 1_000_001 }, (_, index) => index))], /1000001 entries/],
    ['parts', Array.from({ length: 65_537 }, () => new ArrayBuffer(0)), /more than 65536/],
    [
      'values',
      [undefined, Array.from({ length: 4 }, () => Array.from({ length: 1_000_000 }, () => 0))],
      /more than 4000000 values/,
    ],
    ['characters', [undefined, 'x'.repeat(64_000_001)], /64000001 characters/],
  ])('%s', (_, value, message) => {
    const error = refusalOf(value)
    expect(error.code).toBe('CANNOT_CARRY')
    expect(error.message).toMatch(message)
  })

  test('what the encoder lets pass, the decoder reads: at the limits', async () => {
    for (const value of [
      nested(64),
      [10n ** 9_999n],
      [-(10n ** 9_999n)],
      doubled(6),
      Object.assign([], { 3_999_999: 1 }),
    ]) {
      expect(await roundTrip(value)).toBeDefined()
    }
  })

  test('a caller of the decoder can be stricter', () => {
    expect(() => decodeValue(false, '[[[1]]]', [], { limits: { depth: 2 } })).toThrow(
      /3 levels, the limit is 2/,
    )
    expect(() => decodeValue(false, '["abcd"]', [], { limits: { stringLength: 3 } })).toThrow(/limit is 3/)
    expect(() => decodeValue(true, '[[1,2],1,2]', [], { limits: { arrayLength: 1 } })).toThrow(
      /array has 2 items/,
    )
    expect(() => decodeValue(true, '[["BigInt","123"]]', [], { limits: { bigintDigits: 1 } })).toThrow(
      /3 digits/,
    )
    const two = [new Uint8Array(0), new Uint8Array(0)]
    const text = '[[1,5],["Bytes",2],[3,4],"Uint8Array",0,["Bytes",6],[3,7],1]'
    expect(() => decodeValue(true, text, two, { limits: { parts: 1 } })).toThrow(/more than 1 parts/)
    expect(decodeValue(true, text, two)).toHaveLength(2)
  })
})

describe('errors as values', () => {
  test('a result may hold errors', async () => {
    const cause = new RemoteError('NO_PAPER', 'out of paper', {
      data: { at: new Date(5), bytes: new Uint8Array([1]) },
    })
    const error = Object.assign(new TypeError('bad', { cause }), { code: 'E1' })
    const [back, again] = (await roundTrip([error, error], 'out')) as [
      TypeError & { code: string },
      TypeError,
    ]
    expect(back).toBeInstanceOf(TypeError)
    expect(back).toBe(again)
    expect([back.message, back.code]).toEqual(['bad', 'E1'])
    expect(back.cause).toMatchObject({
      name: 'RemoteError',
      code: 'NO_PAPER',
      data: { at: new Date(5), bytes: new Uint8Array([1]) },
    })
  })

  test('stacks stay where they are, unless asked for', async () => {
    const error = new Error('x')
    error.stack = 'Error: x\n    at secret.ts:1:1'
    const { text } = await encodeValue(error, 'out')
    expect(text).not.toContain('secret.ts')
    const dev = await encodeValue(error, 'out', { stack: true })
    expect((decodeInline(dev.text) as Error).stack).toBe(error.stack)
  })
})

describe('properties', () => {
  const bytes = fc.uint8Array({ maxLength: 64 })
  const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype', 'toJSON'])
  const key = fc.string({ maxLength: 8 }).filter((text) => !forbiddenKeys.has(text))
  const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(undefined, null, true, Number.NaN, -0, Infinity, -Infinity, ''),
      fc.double(),
      fc.integer(),
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.bigInt(),
      fc.date({ noInvalidDate: false }),
      bytes,
      bytes.map((items) => items.buffer.slice(0)),
      fc.float64Array({ maxLength: 8 }),
      fc.int16Array({ maxLength: 8 }),
      fc.webUrl().map((text) => new URL(text)),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.sparseArray(tie('value'), { maxLength: 30 }),
      fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    ),
  }))

  test('what goes in comes out, beside the text and inline, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(
        anything,
        fc.constantFrom<Direction>('in', 'out'),
        fc.boolean(),
        async (value, direction, inline) => {
          expect(await roundTrip(value, direction, inline)).toStrictEqual(value)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('the same with shared references and cycles', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const holder: { value: unknown; again: unknown; self?: unknown; list: unknown[] } = {
          value,
          again: value,
          list: [value],
        }
        holder.self = holder
        holder.list.push(holder.list)
        const back = (await roundTrip(holder)) as typeof holder
        expect(back.value).toStrictEqual(value)
        expect(Object.is(back.again, back.value)).toBe(true)
        expect(back.self).toBe(back)
        expect(back.list[1]).toBe(back.list)
      }),
      { numRuns: 200 },
    )
  })

  test('forms with files', async () => {
    const entry = fc.tuple(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), bytes))
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
        const form = new FormData()
        for (const [name, item] of entries)
          form.append(name, typeof item === 'string' ? item : new File([item as BlobPart], 'f'))
        const { form: back } = (await roundTrip({ form })) as { form: FormData }
        const read = (of: FormData) =>
          Promise.all(
            [...of.entries()].map(async ([name, item]) => [
              name,
              typeof item === 'string' ? item : await item.text(),
            ]),
          )
        expect(await read(back)).toEqual(await read(form))
      }),
      { numRuns: 100 },
    )
  })

  const onlyAppErrors = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      expect(['BAD_INPUT', 'BAD_RESULT']).toContain(error.code)
    }
  }

  test('random text is refused or read, and never anything else', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.boolean(),
        fc.constantFrom<Direction>('in', 'out'),
        (text, rich, direction) => {
          onlyAppErrors(() => decodeValue(rich, text, [], { direction }))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('random JSON is refused or read', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, rich) => onlyAppErrors(() => decodeValue(rich, text))),
      { numRuns: 1_000 },
    )
  })

  test('random node lists are refused or read, and give data only', () => {
    const tag = fc.constantFrom(
      'Date',
      'Map',
      'Set',
      'BigInt',
      'URL',
      'Bytes',
      'Blob',
      'File',
      'FormData',
      'Error',
      'null',
      'RegExp',
      'x',
    )
    const reference = fc.integer({ min: -8, max: 8 })
    const node = fc.oneof(
      reference,
      fc.constantFrom('Uint8Array', 'Float64Array', 'x', '', null, true),
      fc.array(reference, { maxLength: 5 }),
      fc.tuple(tag, reference),
      fc.tuple(tag, reference, reference),
      fc.tuple(tag, fc.string({ maxLength: 5 })),
      fc.dictionary(
        fc.constantFrom('a', 'name', 'message', 'cause', 'errors', 'then', '__proto__'),
        reference,
        { maxKeys: 3 },
      ),
    )
    fc.assert(
      fc.property(fc.array(node, { maxLength: 9 }), fc.array(bytes, { maxLength: 2 }), (nodes, parts) => {
        onlyAppErrors(() => {
          const value = decodeValue(true, JSON.stringify(nodes), parts, { direction: 'out' })
          expect(typeof value).not.toBe('function')
          expect(typeof (value as { then?: unknown } | null | undefined)?.then).not.toBe('function')
        })
      }),
      { numRuns: 5_000 },
    )
  })

  test('a damaged text is refused or read', async () => {
    await fc.assert(
      fc.asyncProperty(anything, fc.nat(), fc.string({ maxLength: 3 }), async (value, at, patch) => {
        const { rich, text, parts } = await encodeValue([value], 'in')
        const cut = at % (text.length + 1)
        onlyAppErrors(() =>
          decodeValue(rich, text.slice(0, cut) + patch + text.slice(cut + patch.length), parts),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('limits are the same on both sides', () => {
    expect(decodeLimits).toMatchObject({ depth: 64, bigintDigits: 10_000, parts: 65_536 })
  })
})
