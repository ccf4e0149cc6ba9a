import { createMessageReader, encodeMessage, FrameType, type Message, toPlainJson } from '@flash/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCall, frameEnd, frameText, isPassing, isSurelyPlain } from './quick-frames.ts'

class Own {
  field = 1
}

const odd = fc.constantFrom(
  undefined,
  Number.NaN,
  -0,
  Infinity,
  1n,
  Symbol('s'),
  () => 1,
  new Date(0),
  new Map(),
  Array(3),
  { toJSON: () => 1 },
  Object.create({ inherited: 1 }),
  { [Symbol('key')]: 1 },
  new Own(),
  new Uint8Array(2),
)

describe('what is surely plain', () => {
  test('JSON carries whole, and the codec agrees', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true })
    fc.assert(
      fc.property(fc.oneof(anything, fc.jsonValue(), fc.array(odd)), (value) => {
        if (!isSurelyPlain(value)) return
        expect(JSON.parse(JSON.stringify(value))).toEqual(value)
        if (!JSON.stringify(value).match(/"(__proto__|constructor|prototype)"/)) {
          expect(toPlainJson(value)).toBe(JSON.stringify(value))
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('is every JSON value that has no object twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const fresh = JSON.parse(JSON.stringify(value))
        expect(isSurelyPlain(fresh)).toBe(true)
      }),
    )
  })

  test('is nothing odd, however deep', () => {
    fc.assert(
      fc.property(odd, fc.integer({ min: 0, max: 10 }), (value, depth) => {
        let nested: unknown = value
        for (let level = 0; level < depth; level++) nested = level % 2 ? [0, nested] : { a: nested }
        expect(isSurelyPlain(nested)).toBe(false)
      }),
    )
  })

  test('is no cycle, nothing shared and nothing too deep', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    const shared = {}
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    for (const value of [cycle, [shared, shared], deep]) expect(isSurelyPlain(value)).toBe(false)
  })
})

describe('a frame', () => {
  test('is the one that the protocol writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(encodeCall(text)).toEqual(
          encodeMessage({ type: FrameType.call, rich: false, text, parts: [] }),
        )
      }),
    )
  })

  test('is read as the protocol reads it, from a window on a larger buffer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, before) => {
        const frame = encodeMessage({ type: FrameType.value, rich: false, text, parts: [] })
        const bytes = new Uint8Array(before + frame.length + 5).subarray(before)
        bytes.set(frame)
        const messages: Message[] = []
        createMessageReader((message) => messages.push(message)).push(frame)
        expect(frameEnd(bytes)).toBe(frame.length)
        expect(frameText(bytes, frameEnd(bytes))).toBe(messages[0]!.text)
      }),
    )
  })

  test('with parts is left to the protocol', () => {
    expect(frameEnd(encodeMessage({ type: 7, rich: true, text: 'x', parts: [new Uint8Array(1)] }))).toBe(
      Infinity,
    )
  })

  test('that has not come whole says how much is needed', () => {
    const frame = encodeMessage({ type: 7, rich: false, text: 'hello', parts: [] })
    for (let length = 0; length < frame.length; length++) {
      expect(frameEnd(frame.subarray(0, length))).toBe(length < 9 ? 9 : frame.length)
    }
  })

  test('passes when a plain call has no use for it, rich or not', () => {
    const passing = Object.entries(FrameType).filter(([, type]) => isPassing(type) && isPassing(type | 64))
    expect(passing.map(([name]) => name)).toEqual(['status', 'progress', 'ping'])
  })
})
