import { type Clock, type JobStatus, systemClock } from '@flash/protocol'

export interface WebhookOptions {
  clock?: Clock
  fetch?: typeof fetch
}

const ATTEMPTS = 3
const PAUSE_MS = 10_000

/**
 * Tells a finished job to the URL its caller gave: the same object as `/status`.
 *
 * - anything but 200 is tried again, three times in all, 10 s apart.
 * - resolves to whether it was taken; never rejects.
 *
 * Source: Runpod docs, Serverless, Send requests, Webhooks.
 */
export async function sendWebhook(
  url: string,
  status: JobStatus,
  options: WebhookOptions = {},
): Promise<boolean> {
  const { clock = systemClock, fetch: send = fetch } = options
  const body = JSON.stringify(status)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve))
    const answer = send(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const isTaken = await answer.then(
      (response) => {
        // One that is never read keeps its connection.
        void response.body?.cancel().catch(() => {})
        return response.status === 200
      },
      () => false,
    )
    if (isTaken) return true
  }
  return false
}
