import type { Strategy } from './types.ts'

/** - `random`: 0 to 1. */
export function createRandom(random: () => number): Strategy {
  return ({ length }) => Math.min(length - 1, Math.floor(random() * length))
}
