import { type EndpointState, tell, workerTime } from './state.ts'
import type { Worker } from './worker.ts'

/** The first sign of life, or one after a time of trouble. */
export function becomeReady(state: EndpointState, worker: Worker): void {
  const { shared } = state
  const wasUnhealthy = worker.isUnhealthy
  worker.isUnhealthy = false
  worker.heardAt = workerTime(shared)
  if (worker.phase !== 'ready') {
    worker.withdraw()
    worker.phase = 'ready'
    worker.idleSince = shared.clock.now()
    tell(state, worker, 'worker is ready')
  } else if (wasUnhealthy) {
    tell(state, worker, 'worker is healthy again')
  }
  state.review()
}

export function becomeUnhealthy(state: EndpointState, worker: Worker, why: string): void {
  if (worker.isUnhealthy) return
  worker.isUnhealthy = true
  worker.unhealthySince = workerTime(state.shared)
  tell(state, worker, `worker is unhealthy: ${why}`)
  state.review()
}

/** Where a balanced worker answers; its health is looked at from now on. */
export function setAddress(
  { spec, shared }: EndpointState,
  worker: Worker,
  url: string,
  healthUrl = url,
): void {
  const path = spec.env['HEALTH_CHECK_PATH'] || '/ping'
  worker.url = url
  worker.healthUrl = `${healthUrl}${path.startsWith('/') ? '' : '/'}${path}`
  worker.probe.at = workerTime(shared)
}
