import { stat } from 'node:fs/promises'
import { type Clock, systemClock } from '@flash/protocol'

const pauseMs = 10
const longestMs = 500

/**
 * Resolves once a file that was saved has text again. A watcher hears of a save as soon as the old text is gone, when the new one
 * may not be there yet, and need not hear of that. What stays empty for half a second is meant to be.
 */
export async function untilWritten(file: string, clock: Clock = systemClock): Promise<void> {
  const end = clock.now() + longestMs
  while ((await isEmpty(file)) && clock.now() < end)
    await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
}

async function isEmpty(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size === 0
  } catch {
    // It is gone: there is nothing to wait for.
    return false
  }
}
