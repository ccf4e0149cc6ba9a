import { setTimeout as sleep } from 'node:timers/promises'
import { remote } from 'unplugin-flash'

async function loadCapitals() {
  await sleep(800) // as long as a small model takes
  const capitals = new Map([
    ['France', 'Paris'],
    ['Japan', 'Tokyo'],
    ['Kenya', 'Nairobi'],
  ])
  return { capitals, loadedAt: new Date() }
}

// Made once per worker, before its first call. Callers do not see the state.
export const findCapital = remote(
  { cpu: 'cpu3g-2-8', setup: () => loadCapitals() },
  (country: string, state) => ({
    capital: state.capitals.get(country) ?? 'not on the list',
    loadedAt: state.loadedAt,
  }),
)
