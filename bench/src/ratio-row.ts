import type { Row } from './benchmark.ts'
import { median, medianRatio, type Pair, ratioInterval } from './statistics.ts'

/** A row about how many times as long the plugin makes something take; `pairs` are in milliseconds. */
export function toRatioRow(what: string, pairs: readonly Pair[], aim?: number): Row {
  const [low, high] = ratioInterval(pairs)
  return {
    what,
    plain: { value: median(pairs.map(({ plain }) => plain)), unit: 'ms' },
    flash: { value: median(pairs.map(({ flash }) => flash)), unit: 'ms' },
    figure: { value: medianRatio(pairs), unit: 'times' },
    range: [low, high],
    aim,
    note: `${pairs.length} pairs; the ratio is known to ${low.toFixed(3)}–${high.toFixed(3)} (95 %)`,
  }
}
