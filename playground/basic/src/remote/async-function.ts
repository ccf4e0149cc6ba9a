import { setTimeout as sleep } from 'node:timers/promises'
import { remote } from 'unplugin-flash'
import { small } from './small.ts'

export const greet = remote(small, async (name: string) => {
  await sleep(50)
  return `Hello ${name}, from process ${process.pid}`
})
