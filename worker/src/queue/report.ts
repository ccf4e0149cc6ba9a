import { randomUUID } from 'node:crypto'
import { AppError, type Clock, queueLimits } from '@flash/protocol'
import { createBackoff, pause } from './backoff.ts'
import type { QueueEnvironment } from './environment.ts'
import { toFailedResult, type WorkerIdentity } from './failure.ts'
import type { Log } from './log.ts'
import { post, type Poster, type Verdict } from './post.ts'
import type { Result, Spool } from './spool.ts'

export interface Reporter extends Poster {
  clock: Clock
  done: QueueEnvironment['done']
  spool: Spool
  log: Log
  identity: WorkerIdentity
  /** Results that wait stay on disk; the process ends. */
  halt: AbortSignal
}

export interface Delivery {
  /** Nobody wants the result any more. */
  isUnwanted: AbortSignal
  /** It takes long: the job no longer keeps others from being taken. */
  onSlow(): void
  /** An earlier process kept it. */
  isKept?: boolean
}

/** Attempts after which a delivery is slow. */
const slowAfter = 5

/** How often in a row a connection may break under a body over the limit until that counts as its refusal. */
const resetsLimit = 6

/** What a refusal with another status than 413 is put down to. */
const largeBytes = 1_000_000

/** A key that is not taken may be taken again later; the others say that nobody waits. */
const keyStatus = /^40[13]$/
const goneStatus = /^4(?:04|09|10)$/

/** Attempts until a refused key counts, about a minute: what stands between us and the platform may have a bad moment. */
const keyAttempts = 8

/**
 * Posts the result of a job until it is accepted. From the first failure on it lies on disk too.
 *
 * - a refused result is replaced, once, by a failure that says so with its size; when that is refused too, it is given up.
 * - resolves when nothing more is to be done in this process; never rejects.
 */
export async function reportResult(reporter: Reporter, result: Result, delivery: Delivery): Promise<void> {
  const state: State = { result, isKept: delivery.isKept ?? false, isReplaced: false, resets: 0 }
  const backoff = createBackoff({ firstMs: 500, mostMs: 30_000 })
  for (let attempt = 1; !delivery.isUnwanted.aborted; attempt++) {
    const { jobId, requestId, streamed, json } = state.result
    const verdict = await post(reporter, { target: reporter.done(jobId, streamed), requestId, json })
    if (verdict.kind === 'taken') return drop(reporter, state)
    if (isRefusal(verdict, state, attempt)) {
      if (await refuse(reporter, state, verdict.kind === 'refused' ? verdict.status : 413)) return
      continue
    }
    await keep(reporter, state)
    if (reporter.halt.aborted) return
    if (attempt === slowAfter) delivery.onSlow()
    const { why, waitMs } = toReason(verdict)
    reporter.log.warn(`the result was not accepted (${why}), attempt ${attempt}; it is posted again`, jobId)
    const either = AbortSignal.any([delivery.isUnwanted, reporter.halt])
    await pause(reporter.clock, Math.max(waitMs, backoff.next()), either)
    if (reporter.halt.aborted) return
  }
  await drop(reporter, state)
}

interface State {
  result: Result
  isKept: boolean
  isReplaced: boolean
  /** Connections that broke in a row. */
  resets: number
}

async function keep({ spool }: Reporter, state: State): Promise<void> {
  if (state.isKept) return
  state.isKept = true
  await spool.keep(state.result)
}

async function drop({ spool }: Reporter, state: State): Promise<void> {
  if (state.isKept) await spool.drop(state.result.jobId)
}

type Failure = Exclude<Verdict, { kind: 'taken' }>

/** Some servers break the connection in the middle of a body that is too large, instead of answering. */
function isRefusal(verdict: Failure, state: State, attempt: number): boolean {
  if (verdict.kind === 'refused') return attempt >= keyAttempts || !keyStatus.test(String(verdict.status))
  state.resets = verdict.isReset ? state.resets + 1 : 0
  return state.resets >= resetsLimit && Buffer.byteLength(state.result.json) > queueLimits.runBytes
}

function toReason(verdict: Failure): { why: string; waitMs: number } {
  return verdict.kind === 'again' ? verdict : { why: `status ${verdict.status}`, waitMs: 0 }
}

/** Returns whether nothing more is to be done. */
async function refuse(reporter: Reporter, state: State, status: number): Promise<boolean> {
  const { jobId } = state.result
  if (keyStatus.test(String(status))) {
    await keep(reporter, state)
    const hint = 'it stays on disk, and the next start of this worker posts it again'
    reporter.log.error(
      `the key of this worker was refused with status ${status} for a result; ${hint}`,
      jobId,
    )
    return true
  }
  if (state.isReplaced || goneStatus.test(String(status))) {
    reporter.log.error(`the result was refused with status ${status}, and is given up`, jobId)
    await drop(reporter, state)
    return true
  }
  const error = toRefusal(Buffer.byteLength(state.result.json), status)
  reporter.log.error(`${error.message}; the job is reported as failed`, jobId)
  const json = toFailedResult(error, reporter.identity)
  state.result = { ...state.result, requestId: randomUUID(), json }
  state.isReplaced = true
  state.resets = 0
  // On disk there is one file for each job: the newest result.
  if (state.isKept) await reporter.spool.keep(state.result)
  return false
}

function toRefusal(bytes: number, status: number): AppError {
  const data = { bytes, status }
  if (status !== 413 && bytes <= largeBytes) {
    return new AppError('RESULT_REFUSED', {
      message: `the platform refused the result of the job, ${bytes} bytes, with status ${status}`,
      hint: 'look at the log of the worker, and return plain data',
      data,
    })
  }
  const { runBytes, runSyncBytes } = queueLimits
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the platform refused the result of the job, ${bytes} bytes, with status ${status}; it takes at most ${runBytes} bytes after /run, ${runSyncBytes} after /runsync`,
    hint: 'return less, yield it in smaller items, or put it in a volume or bucket and return where it is',
    data: { ...data, limitBytes: runBytes },
  })
}
