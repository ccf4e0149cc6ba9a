import type { LaunchedWorker, WorkerOrder } from '../launchers/launcher.ts'
import type { Exit } from '../local/index.ts'
import { failureText } from '../queue/failure.ts'
import { becomeUnhealthy, setAddress } from './health-state.ts'
import { leave } from './leave.ts'
import { type EndpointState, isBusy, takeFault, tell, workerTime } from './state.ts'
import type { Worker } from './worker.ts'

const UNHEALTHY_AFTER_STARTS = 3
const FIRST_BACK_OFF_MS = 1_000

/** Starts a worker that has its place; tries again as long as its starts fail. */
export async function launch(state: EndpointState, worker: Worker): Promise<void> {
  const { shared } = state
  worker.phase = 'starting'
  worker.launchedAt = workerTime(shared)
  tell(state, worker, `worker is starting: image ${worker.image}, version ${worker.version}`)
  try {
    await pull(state, worker)
    const order = await toOrder(state, worker)
    // It may have been told to leave in the meantime.
    if (worker.phase === 'starting') watch(state, worker, shared.launcher.start(order))
  } catch (error) {
    failStart(state, worker, `worker could not be started: ${(error as Error).message}`)
  }
}

async function pull(state: EndpointState, worker: Worker): Promise<void> {
  const slow = takeFault(state, 'slowPull')
  if (slow) {
    tell(state, worker, `image ${worker.image} is being pulled`)
    await pause(state, worker, slow.seconds)
    tell(state, worker, `image ${worker.image} was pulled in ${slow.seconds} s`)
  }
  const cold = takeFault(state, 'coldStart')
  if (cold) {
    tell(state, worker, `container is being created, which takes ${cold.seconds} s`)
    await pause(state, worker, cold.seconds)
  }
}

/** Never ends for a worker that leaves meanwhile. */
function pause({ shared }: EndpointState, worker: Worker, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    worker.withdraw = shared.clock.after(seconds * 1_000, resolve)
  })
}

async function toOrder({ spec, shared }: EndpointState, { id }: Worker): Promise<WorkerOrder> {
  const { args, env, gpuCount, image, kind, limits = {}, mounts, name, registryAuth } = spec
  const platform = await shared.workerEnv(spec, id)
  return {
    endpointId: spec.id,
    endpoint: name,
    workerId: id,
    kind,
    image,
    args,
    env: { ...env, ...platform },
    mounts,
    limits,
    gpuCount,
    registryAuth,
  }
}

function watch(state: EndpointState, worker: Worker, launched: LaunchedWorker): void {
  const { clock } = state.shared
  worker.launched = launched
  launched.onLine(({ source, text }) => worker.log.add(source, text, clock.now()))
  void launched.exited.then((exit) => exited(state, worker, launched, exit))
  void findAddress(state, worker, launched)
  if (takeFault(state, 'crashLoop')) void launched.stop(0).catch(() => {})
}

async function findAddress(state: EndpointState, worker: Worker, launched: LaunchedWorker): Promise<void> {
  const isCurrent = () => worker.launched === launched && worker.phase !== 'leaving'
  // Where the first fails, the second does as well, and nobody waits for it.
  launched.healthAddress?.catch(() => {})
  try {
    const url = await launched.address
    const healthUrl = await (launched.healthAddress ?? url)
    if (url !== null && isCurrent()) setAddress(state, worker, url, healthUrl ?? url)
  } catch (error) {
    if (!isCurrent()) return
    tell(state, worker, `worker has no address: ${(error as Error).message}`)
    void launched.stop(0).catch(() => {})
  }
}

function exited(state: EndpointState, worker: Worker, launched: LaunchedWorker, exit: Exit): void {
  if (worker.launched !== launched || worker.phase === 'leaving') return
  // What it started may have outlived it.
  void launched.stop(0).catch(() => {})
  const how = describeExit(exit)
  if (isFailedStart(state, worker)) {
    const when = worker.phase === 'starting' ? 'before it was ready' : 'soon after its start'
    failStart(state, worker, `worker ${how} ${when}`)
  } else {
    leave(state, worker, { why: `worker ${how}`, error: crashText(state, worker, how) })
  }
}

function isFailedStart(state: EndpointState, worker: Worker): boolean {
  const { shared } = state
  if (worker.isRetiring) return false
  if (worker.phase === 'starting') return true
  const age = workerTime(shared) - worker.launchedAt
  return worker.served === 0 && age < shared.timings.failedStartMs && !isBusy(state, worker)
}

/** Tries again after a pause that grows with each failure. */
function failStart(state: EndpointState, worker: Worker, why: string): void {
  if (worker.phase === 'leaving') return
  const { clock, timings } = state.shared
  worker.launched = null
  worker.url = worker.healthUrl = null
  worker.phase = 'starting'
  worker.failedStarts++
  const waitMs = Math.min(timings.backOffMs, FIRST_BACK_OFF_MS * 2 ** (worker.failedStarts - 1))
  tell(state, worker, `${why}; it is started again in ${waitMs / 1_000} s`)
  if (worker.failedStarts >= UNHEALTHY_AFTER_STARTS)
    becomeUnhealthy(state, worker, `${worker.failedStarts} starts in a row failed`)
  worker.withdraw = clock.after(waitMs, () => void launch(state, worker))
  state.review()
}

function describeExit({ code, signal, reason }: Exit): string {
  const how = signal
    ? `was ended by ${signal}`
    : code === null
      ? 'could not be started'
      : `exited with code ${code}`
  return reason ? `${how} (${reason})` : how
}

function crashText({ spec }: EndpointState, { id, log }: Worker, how: string): string {
  const said = log.lastOutput()
  return failureText(
    'WORKER_CRASHED',
    `worker ${id} of "${spec.name}" ${how} while it ran the job${said ? `; its last output:\n${said}` : ''}`,
    'correct what the output shows; the next job starts a fresh worker',
  )
}
