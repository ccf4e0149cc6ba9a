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
