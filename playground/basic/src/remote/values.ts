import { remote } from 'unplugin-flash'
import { small } from './small.ts'

export interface Parcel {
  sent: Date
  prices: Map<string, bigint>
  bytes: Uint8Array
}

export const repack = remote(small, async ({ sent, prices, bytes }: Parcel) => ({
  arrives: new Date(sent.getTime() + 86_400_000),
  prices: new Map([...prices].map(([what, cents]) => [what, cents * 1_000_000_000_000n])),
  bytes: bytes.toReversed(),
  nothing: undefined,
}))
