import { GpuGroup, GpuType, gpuTypesOfGroup } from '@flash/protocol'

/** What a `gpuIds` text selects: pools or cards, without some cards of them. */
export interface GpuSelection {
  /** Ids of pools, and cards that are named themselves. */
  chosen: string[]
  excluded: string[]
}

const pools = new Set<string>(Object.values(GpuGroup))
const cards = new Set<string>(Object.values(GpuType))

/** `AMPERE_24,-NVIDIA L4` → `{ chosen: ['AMPERE_24'], excluded: ['NVIDIA L4'] }` */
export function parseGpuIds(gpuIds: string): GpuSelection {
  const tokens = gpuIds
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '')
  return {
    chosen: tokens.filter((token) => !token.startsWith('-')),
    excluded: tokens.filter((token) => token.startsWith('-')).map((token) => token.slice(1).trim()),
  }
}

/** What is wrong with a selection, as the end of a sentence; `undefined` when a worker can be placed. */
export function refuseGpuIds(gpuIds: string): string | undefined {
  const { chosen } = parseGpuIds(gpuIds)
  const unknown = chosen.find((token) => token !== 'any' && !pools.has(token) && !cards.has(token))
  if (unknown !== undefined)
    return `"${unknown}" is no GPU pool; the pools are ${[...pools].sort().join(', ')}`
  return chosen.length > 0 && cardsOf(gpuIds).length === 0 ? 'every card of the pools is excluded' : undefined
}

/** The cards that a worker may be on, those of the first pool first. */
export function cardsOf(gpuIds: string): string[] {
  const { chosen, excluded } = parseGpuIds(gpuIds)
  const all = chosen.includes('any') ? [...pools] : chosen
  return all
    .flatMap((token): readonly string[] => gpuTypesOfGroup[token as GpuGroup] ?? [token])
    .filter((card) => !excluded.includes(card))
}
