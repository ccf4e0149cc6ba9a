import { remote } from 'unplugin-flash'
import { small } from './small.ts'

export const first = remote(small, async () => process.pid)
export const second = remote(small, async () => process.pid)
export const alone = remote({ cpu: 'cpu3g-2-8' }, async () => process.pid)
