import { queueLimits } from '@flash/protocol'

/** What the queues accept; Runpod's where nothing else is said. */
export interface DataLimits {
  /** Of `/run`. */
  runBytes: number
  /** Of `/runsync`, and of a result. */
  runSyncBytes: number
  /** How long `/stream` waits for something new. */
  streamHoldMs: number
  /** Whether requests and waiting jobs beyond Runpod's rates are refused with 429; not when omitted. */
  rates: boolean
  /** Runpod is said to take an input without any key away, so that a worker gets a job without one. */
  emptyInput: 'keep' | 'drop'
}

export function resolveDataLimits(given: Partial<DataLimits> = {}): DataLimits {
  return {
    runBytes: given.runBytes ?? queueLimits.runBytes,
    runSyncBytes: given.runSyncBytes ?? queueLimits.runSyncBytes,
    streamHoldMs: given.streamHoldMs ?? 1_000,
    rates: given.rates ?? false,
    emptyInput: given.emptyInput ?? 'keep',
  }
}
