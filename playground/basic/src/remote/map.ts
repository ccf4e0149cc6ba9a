import { setTimeout as sleep } from 'node:timers/promises'
import { remote } from 'unplugin-flash'
import { small } from './small.ts'

export const square = remote(small, async (n: number) => {
  await sleep(100)
  return n * n
})
