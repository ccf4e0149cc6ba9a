import { AppError } from '@flash/protocol'
import type { QueueContext } from './context.ts'
import { longestRetryAfterMs } from './exchange.ts'
import { createPauses, sleep } from './pauses.ts'

/** A failure that the next try may not meet. */
export interface Passing {
  reason: string
  cause?: unknown
  /** What the other side asks for; waited for at most a minute. */
  retryAfterMs?: number
  /** The other side has too much to do, which says nothing about the connection. */
  busy?: boolean
}

/** Bears what passes, for as long as it may. */
export interface Patience {
  /** Waits until another try makes sense; throws `TRANSPORT` when there were too many. */
  bear(passing: Passing, about: string): Promise<void>
  /** Something arrived. */
  reset(): void
}

const toleratedFailures = 4
const busyLimitMs = 120_000

export function createPatience({ clock, random }: QueueContext): Patience {
  const failing = createPauses({ firstMs: 500, factor: 2, longestMs: 5_000, random })
  const waiting = createPauses({ firstMs: 1_000, factor: 2, longestMs: 10_000, random })
  let failures = 0
  let busySince: number | undefined
  const reset = () => {
    failures = 0
    busySince = undefined
    failing.reset()
    waiting.reset()
  }
  return {
    reset,
    async bear(passing, about) {
      if (passing.busy) busySince ??= clock.now()
      else failures++
      const isBusyTooLong = busySince !== undefined && clock.now() - busySince >= busyLimitMs
      if (failures > toleratedFailures || isBusyTooLong) {
        reset()
        throw giveUp(passing, about)
      }
      const pauseMs = (passing.busy ? waiting : failing).next()
      await sleep(clock, Math.max(pauseMs, Math.min(passing.retryAfterMs ?? 0, longestRetryAfterMs)))
    },
  }
}

function giveUp({ reason, cause, busy }: Passing, about: string): AppError {
  if (busy) {
    return new AppError('TRANSPORT', {
      message: `${about}: too many requests, for ${busyLimitMs / 1000} seconds now`,
      hint: 'call less at a time, or give the endpoint more workers',
      cause,
    })
  }
  return new AppError('TRANSPORT', {
    message: `${about}: ${toleratedFailures + 1} requests in a row failed, the last with: ${reason}`,
    hint: 'look whether the address can be reached from here; a job that was accepted may still run',
    cause,
  })
}
