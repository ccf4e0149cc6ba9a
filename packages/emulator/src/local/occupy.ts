import { AppError, TOKEN_HEADER } from '@flash/protocol'
import { resolveBalancedLimits } from '../balanced/limits.ts'
import type { LocalSeat } from './local-seat.ts'
import type { Server, ServersState } from './servers-state.ts'
import { endStuck, watch } from './stuck.ts'

const LOST_MS = 2_000

/** What the platform gives a request. */
const { processingMs } = resolveBalancedLimits()

/** Gives a worker that is ready to one request. */
export function occupy(state: ServersState, server: Server): LocalSeat {
  const { link, url, token } = server
  const { name, config } = state.settings
  const { release, ended } = link.occupy()
  return {
    workerId: link.id,
    url: url!,
    headers: { [TOKEN_HEADER]: token },
    limitMs: Math.min(config.executionTimeoutMs, processingMs),
    release() {
      release()
      watch(state, server)
    },
    expire(limitMs) {
      endStuck(state, server)
      return tooSlow(name, limitMs, config.executionTimeoutMs)
    },
    lost: () =>
      new Promise((resolve) => {
        const withdraw = state.context.clock.after(LOST_MS, () => resolve(null))
        void ended().then((error) => {
          withdraw()
          resolve(error)
        })
      }),
  }
}

function tooSlow(name: string, limitMs: number, executionTimeoutMs: number): AppError {
  const more = `${executionTimeoutMs <= limitMs ? `raise executionTimeoutMs, up to ${processingMs}, or ` : ''}answer sooner`
  return new AppError('TIMEOUT', {
    message: `endpoint "${name}" took longer than ${limitMs} ms, which is all that a request may take`,
    hint: `${more}; longer work belongs to a function with a queue`,
  })
}
