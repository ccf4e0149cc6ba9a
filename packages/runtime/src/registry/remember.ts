import type { Clock } from '@flash/protocol'

export interface Remembered<V> {
  /** Whether it was found before, however long ago. */
  has(name: string): boolean
  /** Finds it, or says what was found not long ago. */
  get(name: string): Promise<V | null>
}

interface Entry<V> {
  value: V | undefined
  until: number
  finding?: Promise<V | null>
}

const keptMs = 300_000

/**
 * What `find` found is kept for five minutes, a tenth more or less so that many processes do not ask together, and used
 * after that as long as finding fails. Several who ask at a time share one search.
 */
export function remember<V>(
  find: (name: string) => Promise<V | null>,
  { clock, random }: { clock: Clock; random: () => number },
): Remembered<V> {
  const entries = new Map<string, Entry<V>>()
  const search = async (name: string, entry: Entry<V>) => {
    try {
      const value = await find(name)
      entry.value = value ?? undefined
      entry.until = clock.now() + keptMs * (0.9 + random() * 0.2)
      return value
    } catch (error) {
      if (entry.value === undefined) throw error
      return entry.value
    } finally {
      entry.finding = undefined
    }
  }
  return {
    has: (name) => entries.get(name)?.value !== undefined,
    get(name) {
      const entry: Entry<V> = entries.get(name) ?? { value: undefined, until: 0 }
      entries.set(name, entry)
      if (entry.value !== undefined && entry.until > clock.now()) return Promise.resolve(entry.value)
      return (entry.finding ??= search(name, entry))
    },
  }
}
