import { AppError, type JobStatus, JobState, parsePlainJson, type QueueHealth } from '@flash/protocol'

/** What the body of an answer is: JSON, or text of something else. */
export function parseBody(text: string): { json: unknown } | undefined {
  try {
    return { json: parsePlainJson(text, 'out') }
  } catch (error) {
    // Too deep or too much is JSON nevertheless, and would be the same at the next try.
    if (error instanceof AppError && !(error.cause instanceof SyntaxError)) throw error
    return undefined
  }
}

/** `undefined` for what no queue says. */
export function parseJobStatus(value: unknown, jobId?: string): JobStatus | undefined {
  if (!isRecord(value)) return undefined
  const status = parseState(value.status)
  const id = jobId ?? textOf(value.id)
  if (!status || !id) return undefined
  return { id, status, ...parseTimes(value), ...parseResult(value) }
}

function parseTimes({ delayTime, executionTime, workerId }: Record<string, unknown>): Partial<JobStatus> {
  const times: Partial<JobStatus> = {}
  if (typeof delayTime === 'number') times.delayTime = delayTime
  if (typeof executionTime === 'number') times.executionTime = executionTime
  if (typeof workerId === 'string') times.workerId = workerId
  return times
}

function parseResult(value: Record<string, unknown>): Partial<JobStatus> {
  const { error } = value
  const result: Partial<JobStatus> = {}
  if (Object.hasOwn(value, 'output')) result.output = value.output
  if (error !== undefined && error !== null)
    result.error = typeof error === 'string' ? error : JSON.stringify(error)
  return result
}

export interface ReceivedItems {
  status: JobState
  items: unknown[]
}

export function parseStream(value: unknown): ReceivedItems | undefined {
  if (!isRecord(value) || !Array.isArray(value.stream)) return undefined
  const status = parseState(value.status)
  if (!status || !value.stream.every(isRecord)) return undefined
  // An element without output is the job's error, which its final status has as well.
  const items = value.stream.filter((element) => Object.hasOwn(element, 'output'))
  return { status, items: items.map((element) => (element as { output: unknown }).output) }
}

/** Hosts leave out what they do not count. */
export function parseHealth(value: unknown): QueueHealth | undefined {
  if (!isRecord(value) || !isRecord(value.jobs) || !isRecord(value.workers)) return undefined
  const { jobs, workers } = value
  return {
    jobs: readCounts(jobs, ['completed', 'failed', 'inProgress', 'inQueue', 'retried']),
    workers: readCounts(workers, ['idle', 'initializing', 'ready', 'running', 'throttled', 'unhealthy']),
  }
}

function readCounts<N extends string>(counts: Record<string, unknown>, names: N[]): Record<N, number> {
  const read = (name: N) => (typeof counts[name] === 'number' ? counts[name] : 0)
  return Object.fromEntries(names.map((name) => [name, read(name)])) as Record<N, number>
}

function parseState(state: unknown): JobState | undefined {
  // The documentation lists it beside the other, and no client knows it.
  if (state === 'RUNNING') return JobState.IN_PROGRESS
  return typeof state === 'string' && Object.hasOwn(JobState, state) ? (state as JobState) : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
