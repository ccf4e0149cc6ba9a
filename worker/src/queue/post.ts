import type { Client } from './client.ts'
import type { Target } from './environment.ts'

/** What the platform said to a report. */
export type Verdict =
  | { kind: 'taken' }
  /** Worth another attempt, no sooner than it asks for. */
  | { kind: 'again'; why: string; waitMs: number; isReset: boolean }
  | { kind: 'refused'; status: number }

/** One report: JSON text. */
export interface Post {
  target: Target
  requestId: string
  json: string
  signal?: AbortSignal
}

export interface Poster {
  client: Client
  timeoutMs: number
}

const busyMs = 5_000

/**
 * Posts a report once.
 *
 * Source: runpod-python 1.12, serverless worker: JSON text that is called a form.
 */
export async function post({ client, timeoutMs }: Poster, order: Post): Promise<Verdict> {
  const { target, json, requestId, signal } = order
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    charset: 'utf-8',
    'x-request-id': requestId,
  }
  try {
    const { status, retryAfterMs } = await client.send({ target, body: json, headers, timeoutMs, signal })
    if (status < 300) return { kind: 'taken' }
    if (!isPassing(status)) return { kind: 'refused', status }
    const waitMs = retryAfterMs ?? (status === 429 ? busyMs : 0)
    return { kind: 'again', why: `status ${status}`, waitMs, isReset: false }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { kind: 'again', why: message, waitMs: 0, isReset: /^(?:ECONNRESET|EPIPE)$/.test(code ?? '') }
  }
}

/** Statuses that another attempt may not get. Whoever sends us elsewhere is not the platform. */
function isPassing(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 425 || status === 429
}
