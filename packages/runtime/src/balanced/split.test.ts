import { encodeMessage, FrameType } from '@flash/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunk } from '../scripted-server.ts'
import type { Post } from '../types.ts'
import { createEventReader, type ServerEvent } from './events.ts'
import { createFrameSend } from './frames.ts'
import { createRoute } from './route.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** The same bytes in pieces that end where chance has it. */
function split(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index ? ends[index - 1]! : 0, end))
}

const cuts = fc.array(fc.nat(), { maxLength: 40 })

function readEvents(pieces: Uint8Array[]): { events: ServerEvent[]; isWhole: boolean } {
  const events: ServerEvent[] = []
  const reader = createEventReader((event) => events.push(event))
  for (const piece of pieces) reader.push(piece)
  return { events, isWhole: reader.end() }
}

const lineEnds = ['\n', '\r', '\r\n'] as const
const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, 'ä'))
const eventOf = fc.record({
  type: fc.constantFrom('', 'error', 'other'),
  lines: fc.array(line, { minLength: 1, maxLength: 3 }),
  comment: fc.boolean(),
  end: fc.constantFrom(...lineEnds),
})

test('an event stream is the same, wherever its bytes are cut and however its lines end', () => {
  fc.assert(
    fc.property(fc.array(eventOf, { maxLength: 6 }), cuts, (given, cuts) => {
      const text = given
        .flatMap(({ type, lines, comment, end }) => [
          ...(comment ? [`: quiet${end}`, `id: 7${end}`, `retry${end}`] : []),
          ...(type ? [`event: ${type}${end}`] : []),
          ...lines.map((line) => `data: ${line}${end}`),
          end,
        ])
        .join('')
      const expected = given.map(({ type, lines }) => ({ type, data: decode(encode(lines.join('\n'))) }))
      const bytes = encode(text)
      expect(readEvents(split(bytes, cuts))).toEqual({ events: expected, isWhole: true })
    }),
    { numRuns: 500 },
  )
})

test('byte by byte too; a space after the colon may be missing, a field without a colon has no value', () => {
  const text = '\ufeffdata:a\r\ndata\rdata:  b\nevent:x\n\n\n\nevent: y\n\n:\ndata\n\n'
  const pieces = [...encode(text)].map((byte) => new Uint8Array([byte]))
  expect(readEvents(pieces)).toEqual({
    events: [
      { type: 'x', data: 'a\n\n b' },
      { type: '', data: '' },
    ],
    isWhole: true,
  })
})

test('what is cut short is known', () => {
  const pieces = (text: string) => [encode(text)]
  for (const text of ['data: 1', 'data: 1\n', 'event: x\n', 'data: 1\n\ndat', 'data: 1\n\n:'])
    expect(readEvents(pieces(text)).isWhole).toBe(false)
  for (const text of ['', 'data: 1\n\n', 'data: 1\r\r', '\n', 'event: x\n\n'])
    expect(readEvents(pieces(text)).isWhole).toBe(true)
})

test('an event without an end is refused', () => {
  const reader = createEventReader(() => {})
  const piece = new Uint8Array(16_777_216).fill(97)
  const push = () => {
    for (let time = 0; time < 5; time++) reader.push(piece)
  }
  expect(push).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }))
})

/** A route whose answer has these bytes, in these pieces. */
function routeOf(pieces: Uint8Array[]) {
  const post: Post = async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        // Readers keep what they get.
        for (const piece of pieces) controller.enqueue(piece.slice())
        controller.close()
      },
    })
    return new Response(body, { headers: { 'x-flash': '1' } })
  }
  return createRoute({ send: createFrameSend({ ref: 'x', post }), method: 'GET', path: '/' })
}

function concat(list: Uint8Array[]): Uint8Array {
  return new Uint8Array(list.flatMap((bytes) => [...bytes]))
}

const message = (type: number, value: unknown) =>
  encodeMessage({ type, rich: false, text: value === undefined ? '' : JSON.stringify(value), parts: [] })

const ping = message(FrameType.ping, undefined)

test('frames are the same, wherever their bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue(), { maxLength: 5 }),
      cuts,
      cuts,
      fc.boolean(),
      async (values, bodyCuts, frameCuts, pings) => {
        const events = values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')
        const chunks = split(encode(events), bodyCuts).map((piece) => chunk(piece))
        const head = message(FrameType.head, { status: 200, headers: [['x-flash-result', 'items']] })
        const frames = [head, ...chunks, message(FrameType.end, undefined)]
        const bytes = concat(pings ? frames.flatMap((frame) => [ping, frame]) : frames)
        const items = await routeOf(split(bytes, frameCuts))()
        const got: unknown[] = []
        for await (const item of items) got.push(item)
        expect(JSON.stringify(got)).toBe(JSON.stringify(values))
      },
    ),
    { numRuns: 150 },
  )
})

test('a stream of frames that is cut anywhere is never taken for a whole one', async () => {
  const data = new TextEncoder().encode('{"a":"äöü"}')
  const frames = [
    message(FrameType.head, { status: 200, headers: [['x-flash-result', 'data']] }),
    chunk(data.subarray(0, 6)),
    chunk(data.subarray(6)),
    message(FrameType.end, undefined),
  ]
  const bytes = concat(frames)
  for (let end = 0; end < bytes.length; end++)
    await expect(routeOf([bytes.subarray(0, end)])()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  expect(await routeOf([bytes])()).toEqual({ a: 'äöü' })
})
