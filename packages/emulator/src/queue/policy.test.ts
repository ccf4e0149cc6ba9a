import { expect, test } from 'vitest'
import { parsePolicy } from './index.ts'

const WEEK = 604_800_000

for (const [what, raw, wanted] of [
  ['nothing', undefined, {}],
  ['null', null, {}],
  [
    'all fields',
    { executionTimeout: 5_000, ttl: WEEK, lowPriority: true },
    { executionTimeoutMs: 5_000, ttlMs: WEEK, lowPriority: true },
  ],
  ['unknown fields', { later: 1 }, {}],
] as const) {
  test(`policy: ${what}`, () => expect(parsePolicy(raw)).toEqual(wanted))
}

for (const [what, raw, message] of [
  ['a list', [], 'policy is [], it must be an object'],
  ['text', 'fast', 'policy is "fast", it must be an object'],
  [
    'too short',
    { executionTimeout: 4_999 },
    `policy.executionTimeout is 4999, it must be whole milliseconds from 5000 to ${WEEK}`,
  ],
  ['too long', { ttl: WEEK + 1 }, 'policy.ttl is 604800001'],
  ['a fraction', { ttl: 10_000.5 }, 'policy.ttl is 10000.5'],
  ['not a number', { ttl: '10000' }, 'policy.ttl is "10000"'],
  ['not a flag', { lowPriority: 'yes' }, 'policy.lowPriority is "yes", it must be true or false'],
] as const) {
  test(`policy refused: ${what}`, () => {
    expect(() => parsePolicy(raw)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(message) }),
    )
  })
}
