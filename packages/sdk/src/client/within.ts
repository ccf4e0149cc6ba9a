import type { Clock } from '@flash/protocol'
import { createGuard } from '@flash/runtime/server'
import type { ClientAddress } from './call.ts'
import type { WaitOptions } from './types.ts'

/** An address, and what is left of the options of a call that had to wait for it. */
export interface Located<O extends WaitOptions> {
  address: ClientAddress
  rest: O
}

/** Less is not worth another number in messages than the one that was given. */
const NOTICED_MS = 50

/** Looks for an address as long as its call may take; where an image has to be started that is long. */
export async function findWithin<O extends WaitOptions>(
  options: O,
  clock: Clock,
  find: (signal: AbortSignal | undefined) => Promise<ClientAddress>,
): Promise<Located<O>> {
  const { signal, timeoutMs } = options
  const startedAt = clock.now()
  const limits = createGuard({ signal, timeoutMs }, clock, () => {})
  try {
    limits.check()
    const address = await limits.race(find(limits.signal))
    const spentMs = clock.now() - startedAt
    if (timeoutMs === undefined || spentMs < NOTICED_MS) return { address, rest: options }
    return { address, rest: { ...options, timeoutMs: Math.max(1, timeoutMs - spentMs) } }
  } finally {
    limits.end()
  }
}
