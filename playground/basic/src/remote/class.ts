import { remote } from 'unplugin-flash'
import { small } from './small.ts'

// Equal arguments of new reach the same instance while its worker lives.
export const Account = remote(
  small,
  class {
    #balance: number

    constructor(
      readonly owner: string,
      opening: number,
    ) {
      this.#balance = opening
    }

    deposit(amount: number) {
      this.#balance += amount
      return `${this.owner} has ${this.#balance}`
    }
  },
)
