import type { Clock } from '@flash/protocol'
import type { RunningEndpoint } from '../endpoints/types.ts'
import { type Answer, refusal } from '../http/answer.ts'
import type { Queue } from '../queue/index.ts'

/**
 * How often an operation may be asked for within 10 s, and how many of it at a time.
 *
 * Source: Runpod docs, Serverless, Operation reference, Rate limits.
 */
const rateLimits = {
  runsync: { requests: 2_000, atOnce: 400 },
  run: { requests: 1_000, atOnce: 200 },
  /** `/status` and `/stream` together. */
  status: { requests: 2_000, atOnce: 400 },
  cancel: { requests: 100, atOnce: 20 },
  purge: { requests: 2, atOnce: Number.POSITIVE_INFINITY },
  openai: { requests: 2_000, atOnce: 400 },
} as const satisfies Record<string, { requests: number; atOnce: number }>

export type RateName = keyof typeof rateLimits

const WINDOW_MS = 10_000

interface Window {
  startedAt: number
  requests: number
  atOnce: number
}

export interface Rates {
  /** Counts a request; with `refused` it must not be answered otherwise. `leave` when it has been answered, or its caller is gone. */
  enter(queue: Queue, name: RateName): { refused?: Answer; headers: Record<string, string>; leave(): void }
}

/** Windows for each endpoint and operation; an endpoint that is gone takes its windows along. */
export function createRates(clock: Clock): Rates {
  const byQueue = new WeakMap<Queue, Map<RateName, Window>>()
  return {
    enter(queue, name) {
      const window = windowOf(byQueue, queue, name, clock.now())
      const { requests, atOnce } = rateLimits[name]
      const leftMs = window.startedAt + WINDOW_MS - clock.now()
      if (window.requests >= requests) return refuse(Math.ceil(leftMs / 1000))
      if (window.atOnce >= atOnce) return refuse(1)
      window.requests++
      window.atOnce++
      let isIn = true
      return {
        headers: {
          'ratelimit-policy': `"${name}";q=${requests};w=${WINDOW_MS / 1000}`,
          ratelimit: `"${name}";r=${requests - window.requests};t=${Math.ceil(leftMs / 1000)}`,
        },
        leave() {
          if (isIn) window.atOnce--
          isIn = false
        },
      }
    },
  }
}

const submitting: ReadonlySet<RateName> = new Set(['run', 'runsync', 'openai'])
const ALWAYS_WAIT = 50
const WAIT_PER_WORKER = 500

/**
 * The answer to a job for which too many wait already.
 *
 * Source: Runpod docs, Serverless, Send requests, Rate limits.
 */
export function refuseWhenFull({ queue, spec }: RunningEndpoint, name: RateName): Answer | undefined {
  if (!submitting.has(name)) return undefined
  const { waiting } = queue.load()
  const limit = Math.max(ALWAYS_WAIT, spec.workersMax * WAIT_PER_WORKER)
  return waiting > limit ? refusal(429, `too many jobs wait: ${waiting}, the limit is ${limit}`) : undefined
}

function refuse(seconds: number) {
  const headers = { 'retry-after': String(seconds) }
  return { refused: refusal(429, 'too many requests', headers), headers, leave() {} }
}

function windowOf(
  byQueue: WeakMap<Queue, Map<RateName, Window>>,
  queue: Queue,
  name: RateName,
  now: number,
): Window {
  let windows = byQueue.get(queue)
  if (!windows) byQueue.set(queue, (windows = new Map()))
  let window = windows.get(name)
  if (!window) windows.set(name, (window = { startedAt: now, requests: 0, atOnce: 0 }))
  if (now - window.startedAt >= WINDOW_MS) Object.assign(window, { startedAt: now, requests: 0 })
  return window
}
