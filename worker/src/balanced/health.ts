/** What a worker says of itself to whoever sends it requests. */
export interface Health {
  /** The status of a health check. */
  status(): 200 | 204 | 503
  /** Resolves when the worker is not starting any more, whatever became of it. */
  settled: Promise<void>
  /** It takes no more requests. */
  drain(): void
}

export function createHealth(made: Promise<unknown>): Health {
  // 204 means "still starting" to the platform's balancer, so an early check does not say 200.
  let state: 200 | 204 | 503 = 204
  let settle = () => {}
  const settled = new Promise<void>((resolve) => (settle = resolve))
  const set = (next: 200 | 503) => {
    if (state !== 503) state = next
    settle()
  }
  made.then(
    () => set(200),
    () => set(503),
  )
  return { status: () => state, settled, drain: () => set(503) }
}
