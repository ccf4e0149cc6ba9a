import { setTimeout as sleep } from 'node:timers/promises'
import { getContext, remote } from 'unplugin-flash'
import { small } from './small.ts'

export const bake = remote(small, async (trays: number) => {
  const { log, progress, signal } = getContext()
  for (let done = 1; done <= trays; done++) {
    await sleep(300, undefined, { signal })
    log(`tray ${done} is out`)
    progress({ done, total: trays })
  }
  return `${trays * 12} rolls`
})
