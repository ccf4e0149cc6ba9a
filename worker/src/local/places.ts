import type { SetupPlace } from '../execute/worker.ts'

export interface Places {
  /** What the host says about a function's `setup`, when it is called. */
  note(id: string, slot: string | null): void
  of(id: string, setup: () => unknown): SetupPlace
  /** Code changed: whether `setup` did has to be asked again. */
  forgetVersions(): void
}

/**
 * Where states are kept. The host names the slot, which functions share when they name the same binding.
 *
 * - `askKey`: tells by a key whether the code behind a function's `setup` is still the same; empty when it has none.
 */
export function createPlaces(askKey: (id: string) => Promise<string>): Places {
  const slots = new Map<string, string>()
  // The key of one slot is asked through one function, whichever came first: another's could differ in form.
  const askers = new Map<string, string>()
  const versions = new Map<string, Promise<string>>()
  const slotsOfCode = new WeakMap<() => unknown, string>()
  const askVersion = async (slot: string, id: string): Promise<string> => {
    const asker = askers.get(slot) ?? id
    askers.set(slot, asker)
    const version = await askKey(asker)
    if (version !== '' || asker === id) return version
    // That function is gone, or has another setup by now.
    askers.set(slot, id)
    return askKey(id)
  }
  const versionOf = (slot: string, id: string) => {
    const known = versions.get(slot)
    if (known) return known
    const version = askVersion(slot, id)
    versions.set(slot, version)
    version.catch(() => {
      if (versions.get(slot) === version) versions.delete(slot)
    })
    return version
  }
  return {
    note: (id, slot) => void (slot === null ? slots.delete(id) : slots.set(id, slot)),
    of(id, setup) {
      const slot = slots.get(id) ?? slotsOfCode.get(setup) ?? `${id}.setup`
      slotsOfCode.set(setup, slot)
      return { slot, version: () => versionOf(slot, id) }
    },
    forgetVersions: () => versions.clear(),
  }
}
