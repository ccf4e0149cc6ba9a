import { createMessageReader, FrameType, type Message } from '@flash/protocol'
import { expect, test } from 'vitest'
import type { RpcJob } from './backend.ts'
import { openOutbox } from './outbox.ts'
import { json } from './testing/production.ts'

function setUp() {
  let say = (_message: Message) => {}
  const job = {
    listen(_from: number, listener: (message: Message) => void) {
      say = listener
      return () => {}
    },
  } as unknown as RpcJob
  const outbox = openOutbox(job, [json(FrameType.job, 'token')], 0, () => {})
  const take = () => {
    const texts: string[] = []
    const reader = createMessageReader(({ text }) => texts.push(text))
    for (const chunk of outbox.take()) reader.push(chunk)
    reader.end()
    return texts
  }
  return { outbox, take, say: (message: Message) => say(message) }
}

test('of progress and states that nobody took only the newest waits, of items all', () => {
  const { say, take } = setUp()
  for (let n = 0; n < 3; n++) {
    say(json(FrameType.status, `state ${n}`))
    say(json(FrameType.progress, n))
    say(json(FrameType.item, `item ${n}`))
  }
  expect(take()).toEqual(['"token"', '"item 0"', '"item 1"', '"state 2"', '2', '"item 2"'])
  say(json(FrameType.progress, 3))
  say(json(FrameType.value, 'end'))
  expect(take()).toEqual(['3', '"end"'])
})

test('progress for a reader that does not read takes no room', () => {
  const { outbox, say } = setUp()
  const large = json(FrameType.progress, 'x'.repeat(1_000_000))
  for (let n = 0; n < 50; n++) say(large)
  const bytes = outbox.take().reduce((sum, { length }) => sum + length, 0)
  expect(bytes).toBeLessThan(1_100_000)
})

test('replaced progress leaves its room to items', () => {
  const { say, take } = setUp()
  for (let n = 0; n < 9; n++) say(json(FrameType.progress, 'x'.repeat(1_000_000)))
  for (let n = 0; n < 3; n++) say(json(FrameType.item, n))
  expect(take().slice(2)).toEqual(['0', '1', '2'])
})
