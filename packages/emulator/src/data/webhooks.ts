import type { Clock } from '@flash/protocol'
import { type Queue, sendWebhook } from '../queue/index.ts'

const ANSWER_MS = 30_000

/** Sends the webhooks of the queues it watches. */
export interface Webhooks {
  watch(queue: Queue): void
  /** Breaks off those that are on their way. */
  close(): void
}

export function createWebhooks(clock: Clock): Webhooks {
  const watched = new WeakSet<Queue>()
  const closing = new AbortController()
  const deliver: typeof fetch = (url, init) =>
    fetch(url, { ...init, signal: AbortSignal.any([closing.signal, AbortSignal.timeout(ANSWER_MS)]) })
  return {
    watch(queue) {
      if (watched.has(queue)) return
      watched.add(queue)
      queue.onEnd((status, { webhook }) => {
        // Whoever cancels knows that it has ended.
        if (webhook === undefined || status.status === 'CANCELLED' || closing.signal.aborted) return
        void sendWebhook(webhook, status, { clock, fetch: deliver })
      })
    },
    close: () => closing.abort(),
  }
}
