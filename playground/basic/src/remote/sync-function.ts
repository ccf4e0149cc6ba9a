import { remote } from 'unplugin-flash'
import { small } from './small.ts'

// Its stub returns a promise, and is typed so.
export const add = remote(small, (a: number, b: number) => a + b)
