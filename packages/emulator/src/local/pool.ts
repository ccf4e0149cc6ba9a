import { type Clock, toWireError, writeFailure } from '@flash/protocol'
import type { Job, Queue, Stop } from '../queue/index.ts'
import { createCrew } from './crew.ts'
import type { WorkerLink } from './link.ts'

export interface PoolOptions {
  queue: Queue
  clock: Clock
  limits(): { workers: number; maxConcurrency: number }
  launch(workerId: string): WorkerLink
  /** Hands a job to a worker; the number is the worker's name for the call. `isCurrent`: the job is still this attempt. */
  start(link: WorkerLink, job: Job, isCurrent: () => boolean): number
}

/** The workers of one endpoint: starts them when jobs wait, and never gives a job to one that does not answer. */
export interface Pool {
  pump(): void
  links(): readonly WorkerLink[]
  /** A worker that can take a call now, started when there is none. */
  any(): WorkerLink
  removed(link: WorkerLink): void
  /** Lets every worker finish its calls, then ends it; the next job starts a fresh one. */
  retire(): void
  close(): void
}

/** A job on a worker. */
interface Attempt {
  link: WorkerLink
  call: number
}

/** A loop is called stuck after two seconds, so a stopped call is looked at a little later. */
const LOOK_AGAIN_MS = 2_500
const RECHECK_MS = 250

export function createPool(options: PoolOptions): Pool {
  const { queue, clock } = options
  const crew = createPicker(options)
  const running = new Map<string, Attempt>()
  let withdrawRecheck: (() => void) | null = null
  const pump = () => {
    crew.endIdle()
    while (queue.load().waiting > 0) {
      const link = crew.pick()
      const job = link && queue.take(link.id)
      if (!link || !job) return recheck()
      begin(link, job, running, options)
    }
  }
  // A worker that gets stuck says nothing, so while jobs wait the pool looks by itself.
  const recheck = () => {
    withdrawRecheck ??= clock.after(RECHECK_MS, () => {
      withdrawRecheck = null
      pump()
    })
  }
  const stop = ({ jobId, reason }: Stop) => {
    const entry = running.get(jobId)
    if (!entry) return
    // After its time is up nobody knows what a worker still does; the platform stops it as well.
    if (reason === 'timed-out') crew.retireOne(entry.link)
    stopCall(entry, reason, { clock, pump, end: crew.end })
  }
  const forget = [queue.onWaiting(pump), queue.onStop(stop), queue.onEnd(({ id }) => void running.delete(id))]
  return {
    pump,
    links: crew.links,
    any: crew.any,
    retire: crew.retire,
    removed(link) {
      crew.remove(link)
      pump()
    },
    close() {
      for (const end of forget) end()
      withdrawRecheck?.()
      crew.close()
    },
  }
}

function begin(
  link: WorkerLink,
  job: Job,
  running: Map<string, Attempt>,
  { queue, start }: PoolOptions,
): void {
  const attempt: Attempt = { link, call: 0 }
  running.set(job.id, attempt)
  try {
    attempt.call = start(link, job, () => running.get(job.id) === attempt)
  } catch (error) {
    queue.complete(job.id, link.id, { error: writeFailure(toWireError(error, { stack: false })) })
  }
}

/** Tells a worker to end a call; one whose loop does not turn cannot hear it, and is ended itself. */
function stopCall(
  { link, call }: Attempt,
  reason: string,
  { clock, pump, end }: { clock: Clock; pump(): void; end(link: WorkerLink): void },
): void {
  link.cancel(call, reason)
  const look = (then: () => void) => {
    // What the worker said while this process was busy itself is heard before it is judged.
    setImmediate(() => {
      if (link.isStuck()) end(link)
      then()
    })
  }
  look(() => {})
  clock.after(LOOK_AGAIN_MS, () =>
    look(() => {
      link.abandon(call)
      pump()
    }),
  )
}

/** Workers by what they do: jobs go to the least busy one. */
function createPicker({ limits, launch }: PoolOptions) {
  const crew = createCrew({ limit: () => limits().workers, launch })
  const pick = () => {
    const { maxConcurrency } = limits()
    const free = crew.usable().filter((link) => link.calls < maxConcurrency)
    return free.sort((a, b) => a.calls - b.calls)[0] ?? (crew.hasRoom() ? crew.start() : null)
  }
  return { ...crew, pick, any: () => pick() ?? crew.usable()[0] ?? crew.start() }
}
