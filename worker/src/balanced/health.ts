import type { ServerResponse } from 'node:http'
import { AppError } from '@flash/protocol'

/** Resolves when the worker can take requests; a function is called again when a request finds that it rejected. */
export type Ready = Promise<unknown> | (() => Promise<unknown>)

/** What a worker says of itself to whoever sends it requests. */
export interface Health {
  /** The status of a health check. */
  status(): 200 | 204 | 503
  /** Resolves when a request may come in; rejects with what failed, and `WORKER_UNAVAILABLE`. */
  enter(): Promise<void>
  /** It takes no more requests. */
  drain(): void
}

export function createHealth(ready: Ready = Promise.resolve()): Health {
  // 204 means "still starting" to the platform's balancer, so an early check does not say 200.
  let state: 200 | 204 | 503 = 204
  let isDrained = false
  let drain = () => {}
  const drained = new Promise<void>((resolve) => (drain = resolve))
  const follow = async (made: Promise<unknown>): Promise<{ error: unknown } | undefined> => {
    try {
      await made
      state = 200
      return undefined
    } catch (error) {
      state = 503
      return { error }
    }
  }
  let attempt = follow(typeof ready === 'function' ? ready() : ready)
  let running = true
  void attempt.then(() => (running = false))
  const again = (make: () => Promise<unknown>) => {
    if (running) return
    running = true
    attempt = follow(make()).finally(() => (running = false))
  }
  return {
    status: () => (isDrained ? 503 : state),
    async enter() {
      if (state === 503 && typeof ready === 'function') again(ready)
      const failure = state === 200 ? undefined : await Promise.race([attempt, drained])
      if (isDrained) throw new Unavailable()
      if (failure) throw typeof ready === 'function' ? failure.error : new Unavailable()
    },
    drain() {
      isDrained = true
      drain()
    },
  }
}

/** The worker takes no requests. Its answer says nothing of the program, and another worker may do better. */
export class Unavailable extends AppError {
  constructor() {
    super('WORKER_UNAVAILABLE', {
      message: 'this worker takes no requests: it could not start, or it ends',
      hint: 'send the request to another worker; the log of this one says why',
    })
  }
}

export function answerCheck(outgoing: ServerResponse, health: Health): void {
  const status = health.status()
  const words = { 200: '{"status":"healthy"}', 204: undefined, 503: '{"status":"unhealthy"}' }
  const type = words[status] && { 'content-type': 'application/json' }
  outgoing.writeHead(status, { 'cache-control': 'no-store', ...type }).end(words[status])
}
