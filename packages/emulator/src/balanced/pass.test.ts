import { PassThrough, Readable, Writable } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { pass } from './pass.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

function setUp(limitBytes = 100) {
  const onTooLarge = vi.fn()
  const from = new PassThrough()
  const taken: string[] = []
  const waiting: (() => void)[] = []
  const to = new Writable({
    highWaterMark: 4,
    write(chunk, _encoding, done) {
      taken.push(String(chunk))
      waiting.push(done)
    },
  })
  pass(from, to, { limitBytes, onTooLarge })
  return { from, to, taken, waiting, onTooLarge }
}

test('bytes are passed on no faster than they are taken, and end with their end', async () => {
  const { from, to, taken, waiting } = setUp()
  from.write('first')
  from.end('second')
  await turn()
  expect(taken).toEqual(['first'])
  expect(from.isPaused()).toBe(true)
  waiting.pop()!()
  await turn()
  expect(taken).toEqual(['first', 'second'])
  waiting.pop()!()
  await turn()
  expect(to.writableFinished).toBe(true)
})

test('what is too large is told once, and not passed on any more, nor ended', async () => {
  const { from, to, taken, onTooLarge } = setUp(5)
  for (const text of ['abc', 'def', 'ghi']) from.write(text)
  from.end()
  await turn()
  expect(taken).toEqual(['abc'])
  expect(onTooLarge).toHaveBeenCalledExactlyOnceWith(6)
  await turn()
  expect(from.readableEnded).toBe(true)
  expect(to.writableEnded).toBe(false)
})

test('what waits for somebody who is gone by now is dropped to its end', async () => {
  const { from, to, taken } = setUp()
  from.write('first')
  await turn()
  expect(from.isPaused()).toBe(true)
  to.destroy()
  from.end('second')
  await turn()
  await turn()
  expect(taken).toEqual(['first'])
  expect(from.readableEnded).toBe(true)
})

test('whoever takes nothing any more is left alone, and errors are the business of others', async () => {
  const { from, to, taken } = setUp()
  to.destroy(new Error('gone'))
  from.end('text')
  await turn()
  expect(taken).toEqual([])
  const broken = new Readable({ read() {} })
  const other = setUp().to
  pass(broken, other, { limitBytes: 1, onTooLarge() {} })
  broken.destroy(new Error('broken'))
  await turn()
  expect(other.writableEnded).toBe(false)
})
