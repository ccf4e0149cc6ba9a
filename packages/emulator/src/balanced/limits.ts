/** Of the head of an answer. */
export const headBytes = 65_536

/** What the balancer lets through; Runpod's where nothing else is said. */
export interface BalancedLimits {
  /** Of a request, and of a response. */
  bytes: number
  /** From the moment a worker has the request. */
  processingMs: number
  /** The status when no worker was there in time; Runpod documents its text only. */
  noWorkersStatus: number
}

export function resolveBalancedLimits(given: Partial<BalancedLimits> = {}): BalancedLimits {
  return {
    bytes: given.bytes ?? 30_000_000,
    processingMs: given.processingMs ?? 330_000,
    noWorkersStatus: given.noWorkersStatus ?? 400,
  }
}
