import type { Clock } from '@flash/protocol'
import { createQueue, type Queue, type RetentionOptions } from '../queue/index.ts'

/**
 * The queue of an endpoint, on which workers decide by what they take how many jobs they hold.
 *
 * - `reported`: told about each report of a worker, before it counts; `endedJob` is the job that it calls ended.
 */
export function openQueue(
  { executionTimeoutMs }: { executionTimeoutMs: number },
  { clock, retention }: { clock: Clock; retention: RetentionOptions },
  reported: (workerId: string, endedJob?: string) => void,
): Queue {
  const queue = createQueue({
    clock,
    executionTimeoutMs,
    maxConcurrency: Number.POSITIVE_INFINITY,
    retention,
  })
  return {
    ...queue,
    progress(jobId, workerId, value) {
      reported(workerId)
      return queue.progress(jobId, workerId, value)
    },
    item(jobId, workerId, item) {
      reported(workerId)
      return queue.item(jobId, workerId, item)
    },
    complete(jobId, workerId, completion) {
      reported(workerId, jobId)
      return queue.complete(jobId, workerId, completion)
    },
  }
}
