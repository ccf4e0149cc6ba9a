/** How long things take and may take, in milliseconds. */
export interface Timings {
  tickMs: number
  /** What workers are told in `RUNPOD_PING_INTERVAL`; silent for three of them and 10 s, a worker counts as lost. */
  pingIntervalMs: number
  /** From the start to the first sign of life, unless `RUNPOD_INIT_TIMEOUT` says otherwise; then the worker is unhealthy. */
  initializationMs: number
  /** How long a worker may stay unhealthy before it is replaced. */
  unhealthyMs: number
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: number
  /** How long a worker has to stop a job whose execution timeout is over. */
  timeoutGraceMs: number
  /** An exit within this time after the start, without any work done, is a failed start. */
  failedStartMs: number
  /** Longest pause before a worker that cannot start is started again. */
  backOffMs: number
  /** How long a request waits for any worker, and for the one it insists on. */
  seatMs: number
  strictSeatMs: number
  /** Between two looks at the health of a balanced worker: while it starts or is unhealthy, and afterwards. */
  probeStartingMs: number
  probeHealthyMs: number
  probeTimeoutMs: number
  /** How long the log of a worker that ended is kept. */
  keepLogMs: number
}

/** Three pings and ten seconds: then a worker that said nothing counts as lost. */
export function silentMs({ pingIntervalMs }: Timings): number {
  return 3 * pingIntervalMs + 10_000
}

export const defaultTimings: Timings = {
  tickMs: 1_000,
  pingIntervalMs: 4_000,
  initializationMs: 420_000,
  unhealthyMs: 60_000,
  stopGraceMs: 10_000,
  timeoutGraceMs: 10_000,
  failedStartMs: 10_000,
  backOffMs: 60_000,
  seatMs: 120_000,
  strictSeatMs: 300_000,
  probeStartingMs: 1_000,
  probeHealthyMs: 5_000,
  probeTimeoutMs: 2_000,
  keepLogMs: 600_000,
}
