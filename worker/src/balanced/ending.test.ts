import { expect, test } from 'vitest'
import { Ending } from './ending.ts'

test('a signal that was asked for aborts, with the first reason', () => {
  const ending = new Ending()
  const { signal } = ending
  expect([ending.isOver, signal.aborted]).toEqual([false, false])
  const reason = new Error('first')
  ending.end(reason)
  ending.end(new Error('second'))
  expect([ending.isOver, ending.signal === signal, signal.reason]).toEqual([true, true, reason])
})

test('a signal that is asked for at the end has aborted', () => {
  const ending = new Ending()
  const reason = new Error('over')
  ending.end(reason)
  expect([ending.signal.aborted, ending.signal.reason]).toEqual([true, reason])
})
