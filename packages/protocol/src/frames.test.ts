import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from './error.ts'
import {
  createMessageReader,
  encodeMessage,
  encodeMessageChunks,
  type FrameLimits,
  FrameType,
  type Message,
} from './frames.ts'

const message = (text: string, parts: Uint8Array[] = [], rich = false): Message => ({
  type: FrameType.value,
  rich,
  text,
  parts,
})

function read(chunks: Uint8Array[], limits?: FrameLimits): Message[] {
  const messages: Message[] = []
  const reader = createMessageReader((next) => messages.push(next), limits)
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return messages
}

function refusal(chunks: Uint8Array[], limits?: FrameLimits): AppError {
  try {
    read(chunks, limits)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was read')
}

const split = (bytes: Uint8Array, sizes: number[]) => {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length > 0 ? sizes[turn % sizes.length]! : bytes.length
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

test('the layout is type, id and length, big endian', () => {
  const bytes = encodeMessage(message('ä', [new Uint8Array([7]), new Uint8Array(0)], true))
  expect([...bytes]).toEqual([
    7 | 64,
    0,
    0,
    0,
    2,
    0,
    0,
    0,
    2,
    0xc3,
    0xa4,
    32,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    7,
    32,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
  ])
})

test('chunks hold the parts themselves, and none is empty', () => {
  const part = new Uint8Array([1, 2])
  const blob = new Blob(['abc'])
  const chunks = encodeMessageChunks({ ...message(''), parts: [part, new Uint8Array(0), blob, new Blob([])] })
  expect(chunks).toContain(part)
  expect(chunks).toContain(blob)
  expect(chunks.every((chunk) => (chunk instanceof Blob ? chunk.size : chunk.length) > 0)).toBe(true)
})

test('a byte order mark is a character like others', () => {
  expect(read([encodeMessage(message('\ufeffa'))])[0]!.text).toBe('\ufeffa')
})

describe('reading', () => {
  const messages = fc.array(
    fc.record({
      type: fc.constantFrom(FrameType.job, FrameType.item, FrameType.end, FrameType.channel),
      rich: fc.boolean(),
      text: fc.string({ unit: 'grapheme', maxLength: 200 }),
      parts: fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 3 }),
    }),
    { maxLength: 4 },
  )

  test('gives the messages back, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 5 }),
        (wanted, sizes) => {
          const bytes = new Uint8Array(wanted.flatMap((each) => [...encodeMessage(each)]))
          expect(read(split(bytes, sizes))).toEqual(wanted)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('takes empty chunks and buffers of Node, also byte by byte', () => {
    const bytes = Buffer.from(encodeMessage(message('hello', [new Uint8Array(10_000).fill(3)])))
    const chunks = split(bytes, [1]).flatMap((chunk) => [chunk, new Uint8Array(0)])
    expect(read(chunks)).toEqual([message('hello', [new Uint8Array(10_000).fill(3)])])
  })

  test('gives each part a buffer of its own', () => {
    const bytes = encodeMessage(message('', [new Uint8Array([1, 2, 3]), new Uint8Array(2_000)]))
    for (const sizes of [[], [100], [1_500]]) {
      for (const part of read(split(bytes, sizes))[0]!.parts) {
        expect([part.byteOffset, part.buffer.byteLength]).toEqual([0, part.byteLength])
        expect(part.buffer).not.toBe(bytes.buffer)
      }
    }
  })

  test('does not give memory for what is only announced', () => {
    const head = new Uint8Array(9)
    const view = new DataView(head.buffer)
    view.setUint8(0, FrameType.value)
    view.setUint32(5, 4_000_000_000)
    const before = process.memoryUsage().arrayBuffers
    const reader = createMessageReader(() => {}, { bytes: 5_000_000_000 })
    reader.push(head)
    for (let index = 0; index < 1_000; index++) reader.push(new Uint8Array([1]))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  })

  test('hands on each message as soon as it is whole', () => {
    const seen: string[] = []
    const reader = createMessageReader((next) => seen.push(next.text))
    const [a, b] = [encodeMessage(message('a')), encodeMessage(message('b'))]
    reader.push(a)
    expect(seen).toEqual(['a'])
    reader.push(b.subarray(0, 5))
    reader.push(b.subarray(5))
    expect(seen).toEqual(['a', 'b'])
  })
})

describe('refusing', () => {
  const whole = encodeMessage(message('abc', [new Uint8Array([1])]))
  const withByte = (at: number, value: number) => whole.with(at, value)

  test.each([
    ['a cut head', [whole.subarray(0, 4)], /in the middle/],
    ['a cut text', [whole.subarray(0, 10)], /in the middle/],
    ['a missing part', [whole.subarray(0, 12)], /in the middle/],
    ['an unknown type', [withByte(0, 99)], /99 is no frame type/],
    ['a type without meaning', [withByte(0, 0)], /0 is no frame type/],
    ['bytes where a text belongs', [withByte(0, 32)], /32 is no frame type/],
    ['a text where bytes belong', [withByte(12, 7)], /part 0 of 1 is missing/],
    ['rich bytes', [withByte(12, 32 | 64)], /part 0 of 1 is missing/],
    ['parts out of order', [withByte(16, 1)], /part 0 of 1 is missing/],
    ['text that is not UTF-8', [withByte(9, 0xff)], /not UTF-8/],
  ])('%s', (_, chunks, wanted) => {
    const error = refusal(chunks)
    expect(error.code).toBe('BAD_FRAMES')
    expect(error.message).toMatch(wanted)
  })

  test.each<[string, Message[], FrameLimits]>([
    ['a text over the limit', [message('abcd')], { bytes: 3 }],
    ['text and parts together over the limit', [message('ab', [new Uint8Array(2)])], { bytes: 3 }],
    ['more parts than allowed', [message('', [new Uint8Array(1), new Uint8Array(1)])], { parts: 1 }],
    ['more frames than allowed', [message(''), message('')], { frames: 1 }],
  ])('%s', (_, messages, limits) => {
    expect(refusal(messages.map(encodeMessage), limits).code).toBe('PAYLOAD_TOO_LARGE')
  })

  test('the limit holds for each message, not for all', () => {
    expect(
      read(
        [message('abc'), message('abc')].map((each) => encodeMessage(each)),
        { bytes: 3 },
      ),
    ).toHaveLength(2)
  })

  test('more than the limit is refused at its announcement', () => {
    const reader = createMessageReader(() => {}, { bytes: 3 })
    expect(() => reader.push(encodeMessage(message('abcd')).subarray(0, 9))).toThrow(/the limit is 3 bytes/)
  })

  test('after a failure the reader fails again', () => {
    const reader = createMessageReader(() => {})
    expect(() => reader.push(new Uint8Array(9))).toThrow(AppError)
    expect(() => reader.push(encodeMessage(message('a')))).toThrow(/0 is no frame type/)
    expect(() => reader.end()).toThrow(/0 is no frame type/)
  })

  test('what the listener throws reaches the one who pushes', () => {
    const reader = createMessageReader(() => {
      throw new Error('mine')
    })
    expect(() => reader.push(encodeMessage(message('a')))).toThrow('mine')
  })

  test('random bytes are refused or read, and never anything else', () => {
    const head = fc
      .tuple(fc.constantFrom(7, 71, 32, 0, 255), fc.nat({ max: 2 }), fc.nat({ max: 6 }))
      .map(([type, id, length]) => [type, 0, 0, 0, id, 0, 0, 0, length])
    const bytes = fc.array(fc.oneof(head, fc.array(fc.nat({ max: 255 }), { maxLength: 12 })), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }), (pieces, sizes) => {
        try {
          read(split(new Uint8Array(pieces.flat()), sizes), { bytes: 1_000, parts: 10, frames: 100 })
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          expect(['BAD_FRAMES', 'PAYLOAD_TOO_LARGE']).toContain(error.code)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
