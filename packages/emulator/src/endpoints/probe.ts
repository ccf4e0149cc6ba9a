import { becomeReady, becomeUnhealthy } from './health-state.ts'
import { type EndpointState, tell, workerTime } from './state.ts'
import type { Worker } from './worker.ts'

/** Asks balanced workers how they are, those that are due. */
export function probeWorkers(state: EndpointState): void {
  const now = workerTime(state.shared)
  for (const worker of state.workers.values())
    if (worker.healthUrl !== null && !worker.probe.isOpen && now >= worker.probe.at)
      void probe(state, worker, worker.healthUrl)
}

async function probe(state: EndpointState, worker: Worker, url: string): Promise<void> {
  const { shared } = state
  const { probeTimeoutMs, probeHealthyMs, probeStartingMs } = shared.timings
  const startedAt = workerTime(shared)
  worker.probe.isOpen = true
  const status = await ask(state, url)
  worker.probe.isOpen = false
  if (worker.phase === 'leaving' || worker.healthUrl !== url) return
  // A clock that was moved by hand ended the wait: that says nothing about the worker.
  const isKnown = status !== 'late' || workerTime(shared) - startedAt >= probeTimeoutMs
  if (isKnown) judge(state, worker, status)
  const isWell = worker.phase === 'ready' && !worker.isUnhealthy
  worker.probe.at = startedAt + (isWell ? probeHealthyMs : probeStartingMs)
}

/** The status of the answer, or why there is none. */
async function ask({ shared }: EndpointState, url: string): Promise<number | 'refused' | 'late'> {
  const limit = new AbortController()
  const withdraw = shared.clock.after(shared.timings.probeTimeoutMs, () => limit.abort())
  try {
    const response = await shared.fetch(url, { redirect: 'manual', signal: limit.signal })
    void response.body?.cancel().catch(() => {})
    return response.status
  } catch {
    return limit.signal.aborted ? 'late' : 'refused'
  } finally {
    withdraw()
  }
}

function judge(state: EndpointState, worker: Worker, status: number | 'refused' | 'late'): void {
  if (status === 200) {
    worker.heardAt = workerTime(state.shared)
    if (worker.phase !== 'ready' || worker.isUnhealthy) becomeReady(state, worker)
  } else if (status === 204) {
    startAgain(state, worker)
  } else if (typeof status === 'number') {
    becomeUnhealthy(state, worker, `it answers ${status} to ${new URL(worker.healthUrl!).pathname}, not 200`)
  } else if (worker.phase === 'ready') {
    becomeUnhealthy(
      state,
      worker,
      status === 'late' ? 'it does not answer in time' : 'it refuses connections',
    )
  }
}

/** 204 says that it is not there yet, or not any more. */
function startAgain(state: EndpointState, worker: Worker): void {
  worker.isUnhealthy = false
  if (worker.phase === 'starting') return
  worker.phase = 'starting'
  worker.launchedAt = workerTime(state.shared)
  tell(state, worker, 'worker initializes again')
}
