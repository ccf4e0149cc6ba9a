import type { Clock } from '@flash/protocol'

/** How many requests an account may make in each window. */
export interface RateLimits {
  minute: number
  hour: number
  day: number
}

/**
 * A hundred times what Runpod gives as an example: a test suite on this machine must not run into it.
 *
 * Source: Runpod REST v2, headers `RateLimit` and `RateLimit-Policy`.
 */
export const defaultRates: RateLimits = { minute: 6_000, hour: 300_000, day: 5_000_000 }

const windowSeconds: RateLimits = { minute: 60, hour: 3_600, day: 86_400 }

export interface Rates {
  /** Counts a request. */
  count(): {
    headers: Record<string, string>
    /** The window that is over its limit, and when to come back. */
    exceeded?: { window: string; retryAfterSeconds: number }
  }
}

export function createRates(clock: Clock, limits: RateLimits): Rates {
  const names = Object.keys(windowSeconds) as (keyof RateLimits)[]
  const used = new Map(names.map((name) => [name, { since: clock.now(), count: 0 }]))
  const policy = names.map((name) => `"${name}";q=${limits[name]};w=${windowSeconds[name]}`).join(', ')
  const step = (name: keyof RateLimits) => {
    const window = used.get(name)!
    const length = windowSeconds[name] * 1_000
    if (clock.now() - window.since >= length) Object.assign(window, { since: clock.now(), count: 0 })
    window.count += 1
    const remaining = limits[name] - window.count
    return { name, remaining, resetSeconds: Math.ceil((window.since + length - clock.now()) / 1_000) }
  }
  return {
    count() {
      const states = names.map(step)
      const limit = states.map(
        ({ name, remaining, resetSeconds }) => `"${name}";r=${Math.max(0, remaining)};t=${resetSeconds}`,
      )
      const headers = { ratelimit: limit.join(', '), 'ratelimit-policy': policy }
      const over = states.find(({ remaining }) => remaining < 0)
      return over
        ? { headers, exceeded: { window: over.name, retryAfterSeconds: over.resetSeconds } }
        : { headers }
    },
  }
}
