/** What becomes of jobs when an error comes that nobody caught: it may belong to any of them, and nothing is sure any more. */
export interface CrashGuard {
  /** Aborts at the first such error: the process is no good for more jobs. */
  readonly signal: AbortSignal
  /** What the job gives, or a rejection with the error that comes meanwhile. */
  guard<T>(job: Promise<T>): Promise<T>
  crash(error: unknown): void
}

export function createCrashGuard(): CrashGuard {
  const broken = new AbortController()
  const running = new Set<(error: unknown) => void>()
  return {
    signal: broken.signal,
    async guard(job) {
      let fail: (error: unknown) => void = () => {}
      const crashed = new Promise<never>((_, reject) => (fail = reject))
      running.add(fail)
      try {
        return await Promise.race([job, crashed])
      } finally {
        running.delete(fail)
      }
    },
    crash(error) {
      for (const fail of running) fail(error)
      broken.abort()
    },
  }
}
