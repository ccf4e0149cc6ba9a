import type { Direction } from './tags.ts'

/** A key, an index, or a step into a map or set that is written as it is. */
export type PathStep = string | number | { as: string }

/**
 * Where a value stands, as its author would write it: `argument 0.deep.cb`, `result.items[3].fn`.
 * Going in, the root is the list of arguments or what a stub sends: `{ args: […], new: […] }`.
 *
 * - `label`: what an item of such a list is called.
 */
export function formatPath(steps: readonly PathStep[], direction: Direction, label = 'argument'): string {
  const [first, second] = steps
  if (direction === 'out') return `result${formatSteps(steps)}`
  if (typeof first === 'number') return `${label} ${first}${formatSteps(steps.slice(1))}`
  if (typeof second === 'number') {
    if (first === 'args') return `argument ${second}${formatSteps(steps.slice(2))}`
    if (first === 'new') return `constructor argument ${second}${formatSteps(steps.slice(2))}`
  }
  return `argument${formatSteps(steps)}`
}

function formatSteps(steps: readonly PathStep[]): string {
  return steps.map(formatStep).join('')
}

function formatStep(step: PathStep): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'object') return step.as
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
}
