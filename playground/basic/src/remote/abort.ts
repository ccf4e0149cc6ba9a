import { setTimeout as sleep } from 'node:timers/promises'
import { getContext, remote } from 'unplugin-flash'
import { small } from './small.ts'

export const waitFor = remote(small, async (seconds: number) => {
  // An abort on the page ends the wait here too.
  await sleep(seconds * 1000, undefined, { signal: getContext().signal })
  return `Waited ${seconds} s`
})
