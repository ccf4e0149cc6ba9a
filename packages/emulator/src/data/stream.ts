import type { Clock } from '@flash/protocol'
import type { Queue } from '../queue/index.ts'

/**
 * Resolves when something can be read of a job that had nothing: an item, or its end; and after `ms` in any case.
 *
 * Some clients ask for the stream again and again without a pause.
 */
export function untilNews(
  queue: Queue,
  jobId: string,
  { clock, ms, signal }: { clock: Clock; ms: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    let settled = false
    let stop: (() => void) | undefined
    const settle = () => {
      settled = true
      stop?.()
      disarm()
      signal.removeEventListener('abort', settle)
      resolve()
    }
    const disarm = clock.after(ms, settle)
    signal.addEventListener('abort', settle)
    stop = queue.subscribe(
      jobId,
      ({ type }) => {
        if (type === 'item' || type === 'end') settle()
      },
      Number.POSITIVE_INFINITY,
    )
    if (settled || stop === undefined || signal.aborted) settle()
  })
}
