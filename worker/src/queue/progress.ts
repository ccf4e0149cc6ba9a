import { randomUUID } from 'node:crypto'
import type { Clock } from '@flash/protocol'
import { pause } from './backoff.ts'
import type { Target } from './environment.ts'
import { post, type Poster } from './post.ts'

export interface ProgressOptions extends Poster {
  clock: Clock
  target: Target
  /** It was refused, or did not arrive. */
  onLoss(why: string): void
}

export interface Progress {
  /** One is on its way at a time; of those that come meanwhile only the latest follows. */
  say(json: string): void
  /** No progress is posted any more; resolves when none is on its way. */
  end(): Promise<void>
}

/** How long the result waits for the last progress. */
const patienceMs = 500

export function createProgress({ clock, target, onLoss, ...poster }: ProgressOptions): Progress {
  let next: string | undefined
  let sending: Promise<void> | undefined
  let hasEnded = false
  const stop = new AbortController()
  const send = async () => {
    while (next !== undefined) {
      const json = `{"status":"IN_PROGRESS","output":${next}}`
      next = undefined
      const verdict = await post(poster, { target, json, requestId: randomUUID(), signal: stop.signal })
      if (verdict.kind !== 'taken' && !hasEnded)
        onLoss(verdict.kind === 'refused' ? `status ${verdict.status}` : verdict.why)
    }
    sending = undefined
  }
  return {
    say(json) {
      if (hasEnded) return
      next = json
      sending ??= send()
    },
    async end() {
      hasEnded = true
      next = undefined
      if (!sending) return
      const enough = new AbortController()
      await Promise.race([sending, pause(clock, patienceMs, enough.signal)])
      enough.abort()
      stop.abort()
      await sending
    },
  }
}
