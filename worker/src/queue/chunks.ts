import { randomUUID } from 'node:crypto'
import { AppError, type Clock, workerVariables } from '@flash/protocol'
import { createBackoff, pause } from './backoff.ts'
import type { Target } from './environment.ts'
import { post, type Poster } from './post.ts'

export interface ChunkOptions extends Poster {
  clock: Clock
  /** `null` where the platform gives none. */
  target: Target | null
  /** The job was stopped, or has ended. */
  signal: AbortSignal
}

export interface Chunks {
  /**
   * Posts a chunk after those before it; resolves when it was accepted.
   *
   * - rejects with `PAYLOAD_TOO_LARGE` or `RESULT_REFUSED`, and with the signal's reason.
   */
  send(json: string): Promise<void>
  /** Resolves when no chunk is on its way. */
  settled(): Promise<unknown>
}

/** About a minute, then the function hears of it. */
const attempts = 8

export function createChunks(options: ChunkOptions): Chunks {
  let last: Promise<unknown> = Promise.resolve()
  return {
    send(json) {
      const sent = last.then(() => sendChunk(options, json))
      // A refused chunk is told to whoever sent it, and does not hold up those behind it.
      last = sent.catch(() => {})
      return sent
    },
    settled: () => last,
  }
}

async function sendChunk({ clock, target, signal, ...poster }: ChunkOptions, json: string): Promise<void> {
  if (!target) {
    throw new AppError('BAD_ENVIRONMENT', {
      message: `an item cannot be streamed: ${workerVariables.stream} is not set`,
      hint: 'set it, or return the whole result at once',
    })
  }
  const backoff = createBackoff({ firstMs: 250, mostMs: 15_000 })
  // The same with each attempt, so that the other side can tell a repetition.
  const requestId = randomUUID()
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    const verdict = await post(poster, { target, json, requestId, signal })
    if (verdict.kind === 'taken') return
    signal.throwIfAborted()
    if (verdict.kind === 'refused') throw toRefusal(json, `with status ${verdict.status}`, verdict.status)
    if (attempt === attempts) throw toRefusal(json, `${attempts} times, at last by ${verdict.why}`)
    await pause(clock, Math.max(verdict.waitMs, backoff.next()), signal)
  }
}

function toRefusal(json: string, how: string, status?: number): AppError {
  const bytes = Buffer.byteLength(json)
  return new AppError(status === 413 ? 'PAYLOAD_TOO_LARGE' : 'RESULT_REFUSED', {
    message: `the platform refused an item of ${bytes} bytes ${how}`,
    hint: 'yield smaller items',
    data: { bytes, status },
  })
}
