import {
  AppError,
  type Encoded,
  encodeOutput,
  type FromWorker,
  type LocalCall,
  readInput,
  type ReadInput,
  type ToWorker,
  toWireError,
} from '@flash/protocol'
import {
  type Callee,
  type CallScope,
  type CallTarget,
  instanceKeyOf,
  runCall,
  warm,
} from '../execute/call.ts'
import type { Definition } from '../execute/definition.ts'
import { createReports } from '../execute/report.ts'
import { createCall, type RunningCall, type Session } from './session.ts'

/** Timers of Node end at once when they are longer. */
const longestTimerMs = 2_147_483_647

type Outcome = Extract<FromWorker, { t: 'done' }> | Extract<FromWorker, { t: 'failed' }>

export function runLocalCall(session: Session, message: LocalCall, parts: Uint8Array[]): Promise<void> {
  return track(session, message.call, async (context) => {
    session.worker.instanceLimit = message.instances
    const read = readInput(message.shape, message.input, parts)
    const target: CallTarget = { ...read, instanceKey: instanceKeyOf(read.header?.new) }
    const withdraw = limitTime(session, message, context, read.header?.deadline)
    try {
      const callee = await loadCallee(session, message)
      const scope = scopeOf(session, message, context, read.header)
      const result = await runCall(session.worker, callee, target, scope)
      // Items have gone ahead; the empty text says that there is no other result.
      if (result.kind === 'stream') return { rich: false, text: '', parts: [] }
      return await encodeOutput(result.value, { foreign: message.foreign, borrow: true, stack: true })
    } finally {
      withdraw()
    }
  })
}

/** Of the limits, the queue knows its own; the caller's may end earlier. */
function limitTime(
  { clock }: Session,
  message: LocalCall,
  running: RunningCall,
  deadline = Number.POSITIVE_INFINITY,
): () => void {
  const leftMs = deadline - clock.now()
  if (deadline >= (message.deadline ?? Number.POSITIVE_INFINITY) || leftMs > longestTimerMs) return () => {}
  return clock.after(Math.max(leftMs, 0), () => running.cancel('timed-out'))
}

export function runWarm(session: Session, message: Extract<ToWorker, { t: 'warm' }>): Promise<void> {
  return track(session, message.call, async ({ signal }) => {
    await warm(session.worker, await loadCallee(session, message), signal)
    return { rich: false, text: 'null', parts: [] }
  })
}

/** Says exactly one thing about a call at its end: `done` or `failed`. */
export async function track(
  session: Session,
  call: number,
  run: (context: RunningCall) => Promise<Encoded>,
): Promise<void> {
  const context = createCall(call, session.clock, session.graceMs)
  session.calls.set(call, context)
  let outcome: Outcome
  let bytes: Uint8Array[] = []
  try {
    const { rich, text, parts } = await run(context)
    context.signal.throwIfAborted()
    outcome = { t: 'done', call, rich, text }
    bytes = parts
  } catch (error) {
    outcome = { t: 'failed', call, error: toWireError(error, { stack: true }) }
  }
  session.calls.delete(call)
  session.capture.end(context.owner)
  session.say(outcome, bytes)
}

/** Loads the function as its code is now, with the version of its `setup` known. */
export async function loadCallee(
  session: Session,
  { fn, module, setup }: Pick<LocalCall, 'fn' | 'module' | 'setup'>,
): Promise<Callee> {
  session.places.note(fn, setup)
  const loader = await session.loader
  for (;;) {
    const { generation } = session
    const callee = findCallee(await loader.load(module), fn, module)
    const code = callee.definition.config.setup
    if (typeof code === 'function') await session.places.of(fn, code).version()
    // Changed meanwhile: the state must not be made by old code under the new version.
    if (generation === session.generation) return callee
  }
}

export function findCallee(exports: Record<string, unknown>, id: string, module: string): Callee {
  const functions = exports.__flash_functions
  if (typeof functions === 'object' && functions !== null && Object.hasOwn(functions, id)) {
    return { id, definition: (functions as Record<string, Definition>)[id]! }
  }
  throw new AppError('UNKNOWN_FUNCTION', {
    message: `${module.replace(/^\/|\?.*$/g, '')} has no remote function with the id "${id}"`,
    hint: 'reload the page: the function was renamed, moved or removed since it was loaded',
  })
}

function scopeOf(
  session: Session,
  message: LocalCall,
  running: RunningCall,
  header: ReadInput['header'],
): CallScope {
  const { owner, signal, abandoned } = running
  const { call, jobId, attempt, idempotencyKey, foreign } = message
  const ends = [message.deadline, header?.deadline].filter((end) => typeof end === 'number')
  const reports = createReports({
    foreign,
    send(t, { rich, text, parts }) {
      if (!signal.aborted && !owner.ended) session.say({ t, call, rich, text }, parts)
    },
    onError: session.worker.report,
  })
  return {
    ...reports,
    jobId,
    attempt,
    deadline: ends.length > 0 ? Math.min(...ends) : null,
    hops: header?.hops,
    idempotencyKey,
    signal,
    abandoned,
    onContext(context) {
      running.context = context
      session.owners.set(context, owner)
    },
    onStarted: () => session.sayLater({ t: 'started', call }),
    log: (text) => session.capture.write(owner, 'stdout', text),
    refreshWorker: () => session.say({ t: 'refresh', call }),
  }
}
