import { setTimeout as sleep } from 'node:timers/promises'
import { remote } from 'unplugin-flash'
import { small } from './small.ts'

const story = 'Once a page asked for a story and the words came one by one.'

export const tell = remote(small, async function* (pauseMs: number) {
  for (const word of story.split(' ')) {
    await sleep(pauseMs)
    yield word
  }
})
