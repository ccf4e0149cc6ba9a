export interface Backoff {
  /** The first pause. */
  baseMs: number
  /** No pause is longer, jitter included. */
  capMs: number
  /** Share of a pause by which it is longer or shorter: many callers do not come together. */
  jitter: number
}

/**
 * How long to wait before a further try; pauses double from one to the next.
 *
 * - `attempt`: 0 for the first pause.
 * - `random`: 0 to 1.
 */
export function backoffMs(attempt: number, { baseMs, capMs, jitter }: Backoff, random: () => number): number {
  const spread = 1 - jitter + random() * 2 * jitter
  return Math.max(0, Math.min(capMs, Math.min(capMs, baseMs * 2 ** attempt) * spread))
}
