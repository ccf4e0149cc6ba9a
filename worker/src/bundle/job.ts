import { type BundleInfo, encodeOutput, readInput, systemClock, writeOutput } from '@flash/protocol'
import { type CallScope, instanceKeyOf, runCall } from '../execute/call.ts'
import type { Functions } from '../execute/definition.ts'
import { createReports } from '../execute/report.ts'
import { createWorker, setCurrentWorker, type Worker } from '../execute/worker.ts'
import { findCallee } from '../local/calls.ts'
import { createCall } from '../local/session.ts'
import type { Route } from './route.ts'

const GRACE_MS = 1_000

/**
 * Runs one job to its end, as a worker does: input, state, limit of time, and a result for this caller.
 *
 * - `say`: where lines of the worker and of the function go.
 * - returns the JSON text of the result; of a generator, the list of its items.
 * - throws what the function throws, and what `runCall` does.
 */
export async function runJob(
  info: BundleInfo,
  functions: Functions,
  jobId: string,
  route: Route,
  say: (text: string) => void,
): Promise<string> {
  const { endpoint, instances, executionTimeoutMs } = info
  const worker = createWorker({ endpoint, instanceLimit: instances, write: (_, text) => say(text) })
  const unset = setCurrentWorker(worker)
  const call = createCall(0, systemClock, GRACE_MS)
  const withdraw = systemClock.after(executionTimeoutMs, () => call.cancel('timed-out'))
  // A function may wait for something that keeps no process alive.
  const alive = setInterval(() => {}, GRACE_MS)
  try {
    return await callFunction(worker, functions, route, {
      jobId,
      attempt: 1,
      deadline: systemClock.now() + executionTimeoutMs,
      signal: call.signal,
      abandoned: call.abandoned,
      onContext: (context) => void (call.context = context),
      log: say,
      refreshWorker() {},
    })
  } finally {
    withdraw()
    clearInterval(alive)
    await worker.close()
    unset()
  }
}

async function callFunction(
  worker: Worker,
  functions: Functions,
  { fn, shape, input }: Route,
  scope: Omit<CallScope, 'onItem' | 'progress'>,
): Promise<string> {
  const callee = findCallee({ __flash_functions: functions }, fn.id, 'the bundle')
  const read = readInput(shape, input)
  const { foreign, header } = read
  const items: string[] = []
  const reports = createReports({
    foreign,
    send(kind, encoded) {
      if (kind === 'item') items.push(writeOutput(encoded))
      else scope.log(`progress: ${encoded.text}\n`)
    },
    onError: worker.report,
  })
  const target = { ...read, instanceKey: instanceKeyOf(header?.new) }
  const result = await runCall(worker, callee, target, { ...scope, ...reports })
  if (result.kind === 'stream') return `[${items.join(',')}]`
  return writeOutput(await encodeOutput(result.value, { foreign, stack: true }))
}
