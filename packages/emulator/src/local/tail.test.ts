import { expect, test } from 'vitest'
import { createTail } from './tail.ts'

test('the end of what was written is kept', () => {
  const tail = createTail()
  expect(tail.text()).toBe('')
  tail.add('first line\n')
  tail.add(`${'x'.repeat(3_990)}\nlast line\n`)
  expect(tail.text()).toHaveLength(3_999)
  expect(tail.text()).toMatch(/x\nlast line$/)
})

test('what came after a mark is told apart', () => {
  const tail = createTail()
  tail.add('of the first request\n')
  const mark = tail.mark()
  expect(tail.text(mark)).toBe('')
  tail.add('of the second\n')
  expect(tail.text(mark)).toBe('of the second')
  tail.add('x'.repeat(5_000))
  expect(tail.text(mark)).toHaveLength(4_000)
})
