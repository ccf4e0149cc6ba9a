import { expect, test } from 'vitest'
import { parseHandlerOptions } from './handler-options.ts'

const cycle: unknown[] = []
cycle.push(cycle)

test.each([
  ['-1', -1],
  ['10n', 10n],
  ["'10'", '10'],
  ['null', null],
  ['a function', () => 1],
  ['<ref *1> [ [Circular *1] ]', cycle],
])('what is no size is shown as it is: %s', (shown, maxBodyBytes) => {
  expect(() => parseHandlerOptions({ maxBodyBytes })).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      message: `the option "maxBodyBytes" of the handler is ${shown}`,
      hint: 'give a number of bytes above 0',
    }),
  )
})

test('what is long is shown in part', () => {
  expect(() => parseHandlerOptions({ authorize: 'x'.repeat(5_000) })).toThrow(/is 'x{199}$/)
})
