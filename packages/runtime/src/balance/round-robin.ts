import type { Strategy } from './types.ts'

/** One after the other. */
export function createRoundRobin(): Strategy {
  let next = 0
  return ({ length }) => {
    const chosen = next % length
    next = (chosen + 1) % length
    return chosen
  }
}
