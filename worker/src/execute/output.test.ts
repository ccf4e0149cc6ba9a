import { expect, test, vi } from 'vitest'
import { type CaptureOptions, captureOutput, type OutputOwner } from './output.ts'

function setUp(options: Partial<CaptureOptions<OutputOwner>> = {}) {
  const passed: unknown[] = []
  class Stream {
    write(...given: unknown[]) {
      passed.push(given)
      return true
    }
  }
  const streams = { stdout: new Stream(), stderr: new Stream() }
  const sent: [OutputOwner | null, string, string][] = []
  const state = { owner: null as OutputOwner | null, room: 1_000 }
  const capture = captureOutput<OutputOwner>({
    streams,
    current: () => state.owner,
    send: (owner, stream, text) => sent.push([owner, stream, text]),
    room: () => state.room,
    nobody: 'send',
    ...options,
  })
  return { streams, passed, sent, state, capture, Stream }
}

const owner = (): OutputOwner => ({ ended: false })

test('a character that is cut in two waits for its other half, for each owner and stream by itself', () => {
  const { streams, sent, state, capture } = setUp()
  const [a, b] = [owner(), owner()]
  const [head, tail] = [Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1)]
  state.owner = a
  streams.stdout.write(head)
  state.owner = b
  streams.stdout.write(Buffer.from('b'))
  state.owner = a
  streams.stderr.write(Buffer.from('e'))
  streams.stdout.write(tail)
  streams.stdout.write(head)
  capture.end(a)
  expect(sent).toEqual([
    [b, 'stdout', 'b'],
    [a, 'stderr', 'e'],
    [a, 'stdout', '€'],
    [a, 'stdout', '\ufffd'],
  ])
})

test('write answers as a stream does: true at once, its callback later, other encodings understood', async () => {
  const { streams, sent, passed } = setUp()
  const done = vi.fn()
  expect(streams.stdout.write('616263', 'hex', done)).toBe(true)
  expect(streams.stdout.write('plain', done)).toBe(true)
  expect(streams.stdout.write('utf', 'utf8', undefined)).toBe(true)
  expect(done).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(2))
  expect(sent.map(([, , text]) => text)).toEqual(['abc', 'plain', 'utf'])
  expect(passed).toEqual([])
})

test('what belongs to nobody can be left to the stream', async () => {
  const { streams, sent, passed, state, capture } = setUp({ nobody: 'pass' })
  const one = owner()
  const done = vi.fn()
  streams.stdout.write('nobody', 'utf8', done)
  state.owner = one
  streams.stdout.write('owned')
  capture.end(one)
  streams.stdout.write('late')
  expect(passed).toEqual([['nobody', 'utf8', done], ['late']])
  expect(sent).toEqual([[one, 'stdout', 'owned']])
  capture.write(one, 'stdout', 'said after the end')
  expect(sent.at(-1)).toEqual([null, 'stdout', 'said after the end'])
  await new Promise((next) => setTimeout(next, 5))
  expect(done).not.toHaveBeenCalled()
})

test('output that does not fit is dropped and counted, for each stream by itself', () => {
  const { streams, sent, state, capture } = setUp()
  const one = owner()
  state.owner = one
  state.room = 3
  streams.stdout.write('abcdef')
  state.room = 0
  streams.stdout.write('ghi')
  streams.stderr.write('err')
  state.room = 20
  streams.stdout.write('no room for the notice')
  state.room = 1_000
  streams.stdout.write('jkl')
  capture.end(one)
  const notice = (n: number) =>
    `[${n} characters of output dropped here: written faster than they could be passed on]\n`
  expect(sent).toEqual([
    [one, 'stdout', 'abc'],
    [one, 'stdout', `${notice(28)}jkl`],
    [one, 'stderr', notice(3)],
  ])
})

test('what is still to be said at the end is said, room or not', () => {
  const { streams, sent, state, capture } = setUp()
  const one = owner()
  state.owner = one
  state.room = 0
  streams.stdout.write('lost')
  capture.end(one)
  expect(sent).toEqual([[one, 'stdout', expect.stringMatching(/^\[4 characters/)]])
})

test('restore gives the streams back, in any order', () => {
  const first = setUp({ nobody: 'pass' })
  const { streams, Stream, passed } = first
  const other = { sent: [] as string[], owner: owner() }
  const second = captureOutput<OutputOwner>({
    streams,
    current: () => other.owner,
    send: (_, __, text) => void other.sent.push(text),
    room: () => 100,
    nobody: 'pass',
  })
  first.capture.restore()
  streams.stdout.write('second')
  expect(other.sent).toEqual(['second'])
  second.restore()
  streams.stdout.write('free')
  expect(passed).toEqual([['free']])
  const own = Object.assign(new Stream(), { write: () => true })
  const { write } = own
  captureOutput<OutputOwner>({
    streams: { stdout: own, stderr: new Stream() },
    current: () => null,
    send() {},
    room: () => 1,
    nobody: 'send',
  }).restore()
  expect(own.write).toBe(write)
})
