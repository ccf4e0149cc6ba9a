import { describe, expect, test } from 'vitest'
import { traced } from './failure.ts'

/** An error made two functions below the caller, with the stack that an engine would give it. */
function siteWith(stack: string | undefined): Error {
  return Object.assign(new Error(), { stack })
}

describe('the stack of a failed call ends with the caller', () => {
  for (const [engine, stack] of [
    ['V8', 'Error\n    at later (stub.js:1:1)\n    at stub (stub.js:2:2)\n    at page (page.js:3:3)'],
    [
      'V8 with a formatter',
      'Error: \n    at later (stub.js:1:1)\n    at stub (stub.js:2:2)\n    at page (page.js:3:3)',
    ],
    [
      'Firefox and Safari',
      'later@https://x/stub.js:1:1\nstub@https://x/stub.js:2:2\npage@https://x/page.js:3:3',
    ],
  ] as const) {
    test(`in ${engine}`, () => {
      const lines = traced(new TypeError('bad'), siteWith(stack)).stack!.split('\n')
      expect(lines).toEqual(['TypeError: bad', expect.stringMatching(/page.*page\.js:3:3/)])
    })
  }

  test('behind the frames of the other side', () => {
    const site = siteWith('Error\n    at later (s.js:1:1)\n    at stub (s.js:2:2)\n    at page (p.js:3:3)')
    expect(traced(new Error('bad'), site, 'Error: bad\n    at read (r.ts:1:1)').stack).toBe(
      'Error: bad\n    at read (r.ts:1:1)\n    at page (p.js:3:3)',
    )
  })

  test('unless nothing is known of it, or something else was thrown', () => {
    expect(traced(new Error('bad'), siteWith(undefined)).stack).toBe('Error: bad')
    expect(traced('text', siteWith('Error'))).toBe('text')
  })
})
