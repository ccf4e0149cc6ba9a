import { remote } from 'unplugin-flash'
import { small } from './small.ts'

export const countDown = remote(small, function* (from: number) {
  for (let left = from; left > 0; left--) yield left
})
