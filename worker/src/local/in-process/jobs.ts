import { createQueue, type Job, type Queue } from '@flash/emulator/queue'
import {
  AppError,
  type Encoded,
  encodeOutput,
  type JobStatus,
  readInput,
  systemClock,
  toWireError,
  writeFailure,
  writeInput,
} from '@flash/protocol'
import { instanceKeyOf, runCall } from '../../execute/call.ts'
import { createReports } from '../../execute/report.ts'
import { createCall, type RunningCall } from '../session.ts'
import type { LocalFunction, LocalFunctions } from './functions.ts'

/** What a stub sends: arguments and options. */
export interface Envelope {
  args: unknown[]
  /** Of a class: constructor arguments and method. */
  new?: unknown[]
  fn?: string
  run?: boolean
  warm?: boolean
  idempotencyKey?: string
  executionTimeoutMs?: number
  ttlMs?: number
}

export interface Jobs {
  queue: Queue
  submit(callee: LocalFunction, envelope: Envelope): Promise<JobStatus>
}

const WORKER = 'test-process'
const GRACE_MS = 1_000

/**
 * The queue of a test process: every job starts at once. A limit of concurrency would let two functions of one
 * endpoint that call each other wait for ever.
 */
export function createJobs(functions: LocalFunctions): Jobs {
  const running = new Map<string, RunningCall>()
  const queue = createQueue({
    executionTimeoutMs: Number.POSITIVE_INFINITY,
    maxConcurrency: Number.POSITIVE_INFINITY,
    sizeOf,
  })
  queue.onStop(({ jobId, reason }) => running.get(jobId)?.cancel(reason))
  return {
    queue,
    async submit(callee, { args, new: construct, fn, idempotencyKey, ttlMs, executionTimeoutMs }) {
      const { input, parts } = await writeInput(callee.shape, args, { fn, new: construct })
      const status = queue.submit({
        input,
        attachments: parts,
        policy: { executionTimeoutMs: executionTimeoutMs ?? callee.executionTimeoutMs, ttlMs },
        idempotencyKey: idempotencyKey && `${callee.id}:${idempotencyKey}`,
        extra: { id: callee.id, idempotencyKey },
      })
      const job = queue.take(WORKER)
      if (job) void runJob(job, functions, queue, running)
      return status
    },
  }
}

function sizeOf(value: unknown): number {
  const { text, parts } = value as Encoded
  return parts.reduce((sum, part) => sum + part.byteLength, text.length)
}

async function runJob(
  job: Job,
  functions: LocalFunctions,
  queue: Queue,
  running: Map<string, RunningCall>,
): Promise<void> {
  const call = createCall(0, systemClock, GRACE_MS)
  running.set(job.id, call)
  try {
    const output = await callFunction(job, functions, queue, call)
    queue.complete(job.id, WORKER, output ? { output } : {})
  } catch (error) {
    queue.complete(job.id, WORKER, { error: writeFailure(toWireError(error, { stack: true })) })
  } finally {
    running.delete(job.id)
  }
}

/** The encoded result; nothing for a generator, whose items are in the stream. */
async function callFunction(
  { id: jobId, attempt, deadline, input, attachments, extra }: Job,
  functions: LocalFunctions,
  queue: Queue,
  call: RunningCall,
): Promise<Encoded | undefined> {
  const { id, idempotencyKey } = extra as { id: string; idempotencyKey?: string }
  const callee = functions.get(id)
  if (!callee) throw new AppError('UNKNOWN_FUNCTION', { message: `no function has the id ${id}` })
  const read = readInput(callee.shape, input, attachments)
  const reports = createReports({
    foreign: false,
    send: (kind, encoded) => void queue[kind](jobId, WORKER, encoded),
    onError: callee.worker.report,
  })
  const target = { ...read, instanceKey: instanceKeyOf(read.header?.new) }
  const result = await runCall(callee.worker, callee, target, {
    ...reports,
    jobId,
    attempt,
    deadline,
    idempotencyKey,
    signal: call.signal,
    abandoned: call.abandoned,
    onContext: (context) => void (call.context = context),
    log(text) {
      queue.log(jobId, WORKER, { stream: 'stdout', text })
      console.log(text.trimEnd())
    },
    // The test process is the worker, and stays.
    refreshWorker() {},
  })
  return result.kind === 'value'
    ? await encodeOutput(result.value, { foreign: false, stack: true })
    : undefined
}
