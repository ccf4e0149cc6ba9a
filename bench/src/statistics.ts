export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** `share` from 0 to 1; between two samples the value is interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]!
  const high = sorted[Math.ceil(at)]!
  return low + (high - low) * (at - Math.floor(at))
}

/** Two measurements that were taken right after each other, so that what slows one slows the other. */
export interface Pair {
  plain: number
  flash: number
}

export function medianRatio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ plain, flash }) => flash / plain))
}

/** The range that holds the median ratio in 95 of 100 repetitions, by resampling the pairs. */
export function ratioInterval(pairs: readonly Pair[]): [low: number, high: number] {
  const random = createRandom(1)
  const ratios = Array.from({ length: 2000 }, () =>
    medianRatio(pairs.map(() => pairs[Math.floor(random() * pairs.length)]!)),
  )
  return [quantile(ratios, 0.025), quantile(ratios, 0.975)]
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
