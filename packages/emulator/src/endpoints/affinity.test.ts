import { expect, test } from 'vitest'
import { parseAffinity } from './affinity.ts'

for (const [header, wish] of [
  [undefined, { kind: 'any' }],
  ['', { kind: 'any' }],
  ['  ', { kind: 'any' }],
  ['w1', { kind: 'soft', id: 'w1' }],
  [' w1 ', { kind: 'soft', id: 'w1' }],
  ['strict w1', { kind: 'strict', id: 'w1', resume: false }],
  ['strict-resume  w1', { kind: 'strict', id: 'w1', resume: true }],
  ['stricter w1', { kind: 'any' }],
] as const)
  test(`X-Runpod-Worker-Id: ${header}`, () => expect(parseAffinity(header)).toEqual(wish))
