import type { Strategy } from './types.ts'

/** The one with the fewest calls on their way; of several, one after the other. */
export function createLeastBusy(): Strategy {
  let last = -1
  return (busy) => {
    const fewest = Math.min(...busy)
    const free = [...busy.keys()].filter((index) => busy[index] === fewest)
    last = free.find((index) => index > last) ?? free[0]!
    return last
  }
}
