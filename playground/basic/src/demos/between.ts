import type { Demo } from '../demo.ts'
import { welcome } from '../remote/chain.ts'
import { alone, first, second } from '../remote/shared.ts'
import { repack } from '../remote/values.ts'

export const between: Demo[] = [
  {
    id: 'values',
    title: 'Rich values',
    about: 'Date, Map, bigint, bytes and undefined arrive as what they are, both ways.',
    files: ['remote/values.ts'],
    call: 'await repack({ sent, prices, bytes })',
    run: () =>
      repack({
        sent: new Date('2026-02-28T12:00:00Z'),
        prices: new Map([['stamp', 95n]]),
        bytes: new Uint8Array([1, 2, 3, 255]),
      }),
  },
  {
    id: 'chain',
    title: 'One function calls another',
    about: 'Inside a remote function another one is called as everywhere else, and runs on its own worker.',
    files: ['remote/chain.ts'],
    call: "await welcome(['Ada', 'Grace'])",
    run: () => welcome(['Ada', 'Grace']),
  },
  {
    id: 'shared',
    title: 'Shared endpoint',
    about: 'Two functions that name one config constant run in one process; the third has its own.',
    files: ['remote/shared.ts', 'remote/small.ts'],
    call: 'await first(), await second(), await alone()',
    run: async () => ({ first: await first(), second: await second(), alone: await alone() }),
  },
]
