import { type BundleInfo, type Clock, encodeOutput, readInput, writeOutput } from '@flash/protocol'
import { type CallScope, instanceKeyOf, runCall } from '../execute/call.ts'
import type { Functions } from '../execute/definition.ts'
import { createReports } from '../execute/report.ts'
import type { Worker } from '../execute/worker.ts'
import { findCallee } from '../local/calls.ts'
import type { RunningCall } from '../local/session.ts'
import type { Route } from './route.ts'

/** What the jobs of a bundle share. */
export interface JobHost {
  info: BundleInfo
  functions: Functions
  /** Its states and instances live as long as the process. */
  worker: Worker
  clock: Clock
}

/** Where the words of a job go. */
export interface JobVoice extends Pick<CallScope, 'log' | 'onContext' | 'refreshWorker'> {
  /**
   * JSON text of an item as it stands in an output; awaited before the next one is asked for.
   *
   * - `foreign`: the caller is not one of our stubs.
   */
  item(json: string, foreign: boolean): unknown
  /** JSON text of progress as it stands in an output. */
  progress(json: string): void
}

export interface JobOrder {
  id: string
  route: Route
  /** The caller's own limit, instead of the endpoint's. */
  executionTimeoutMs?: number
}

/**
 * Runs one job to its end: input, state, limit of time, and a result for this caller.
 *
 * - returns the JSON text of the result; `null` of a generator, whose items were all told.
 * - throws what the function throws, and what `runCall` does.
 */
export async function runJob(
  host: JobHost,
  { id, route, executionTimeoutMs = host.info.executionTimeoutMs }: JobOrder,
  call: RunningCall,
  voice: JobVoice,
): Promise<string | null> {
  const { worker, functions, clock } = host
  const callee = findCallee({ __flash_functions: functions }, route.fn.id, 'the bundle')
  const read = readInput(route.shape, route.input)
  const { foreign, header } = read
  const now = clock.now()
  const deadline = Math.min(now + executionTimeoutMs, header?.deadline ?? Number.POSITIVE_INFINITY)
  const withdraw = clock.after(deadline - now, () => call.cancel('timed-out'))
  const reports = createReports({
    foreign,
    send: (kind, encoded) => voice[kind](writeOutput(encoded), foreign),
    onError: worker.report,
  })
  try {
    const result = await runCall(
      worker,
      callee,
      { ...read, instanceKey: instanceKeyOf(header?.new) },
      {
        ...reports,
        jobId: id,
        // A queue does not say how often it has given a job out.
        attempt: 1,
        deadline,
        hops: header?.hops,
        signal: call.signal,
        abandoned: call.abandoned,
        log: voice.log,
        refreshWorker: voice.refreshWorker,
        onContext(context) {
          call.context = context
          voice.onContext?.(context)
        },
      },
    )
    if (result.kind === 'stream') return null
    return writeOutput(await encodeOutput(result.value, { foreign, stack: true }))
  } finally {
    withdraw()
  }
}
