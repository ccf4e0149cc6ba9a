import { remote, RemoteError } from 'unplugin-flash'
import { small } from './small.ts'

const balance = 100

export const withdraw = remote(small, async (amount: number) => {
  if (amount > balance) {
    throw new RemoteError('OVERDRAWN', `the account has ${balance}, not ${amount}`, {
      data: { balance, missing: amount - balance },
    })
  }
  return balance - amount
})
