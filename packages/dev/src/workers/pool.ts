import type { Clock } from '@flash/protocol'
import type { Job, Queue } from '@flash/emulator'
import type { WorkerLink } from './link.ts'

export interface PoolOptions {
  queue: Queue
  clock: Clock
  limits(): { workers: number; maxConcurrency: number }
  launch(workerId: string): WorkerLink
  /** Hands a job to a worker; the number is the worker's name for the call. */
  start(link: WorkerLink, job: Job): number
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

/** A loop is called stuck after two seconds, so a stopped call is looked at a little later. */
const LOOK_AGAIN_MS = 2_500
const RECHECK_MS = 250

export function createPool(options: PoolOptions): Pool {
  const { queue, clock } = options
  const links = new Set<WorkerLink>()
  const retiring = new Set<WorkerLink>()
  const running = new Map<string, { link: WorkerLink; call: number }>()
  let sequence = 0
  let withdrawRecheck: (() => void) | null = null

  const usable = () => [...links].filter((link) => !retiring.has(link) && !link.retired && !link.isStuck())
  const launch = () => {
    const link = options.launch(`local-${++sequence}`)
    links.add(link)
    return link
  }
  const pick = () => {
    const { workers, maxConcurrency } = options.limits()
    const free = usable()
    const idle = free.filter((link) => link.calls < maxConcurrency).sort((a, b) => a.calls - b.calls)[0]
    if (idle) return idle
    return free.length < workers ? launch() : null
  }
  const endIdle = () => {
    for (const link of links) if ((retiring.has(link) || link.retired) && link.calls === 0) link.kill()
  }
  const pump = () => {
    endIdle()
    while (queue.load().waiting > 0) {
      const link = pick()
      const job = link && queue.take(link.id)
      if (!link || !job) return recheck()
      running.set(job.id, { link, call: options.start(link, job) })
    }
  }
  // A worker that gets stuck says nothing, so while jobs wait the pool looks by itself.
  const recheck = () => {
    withdrawRecheck ??= clock.after(RECHECK_MS, () => {
      withdrawRecheck = null
      pump()
    })
  }
  const stop = (jobId: string, reason: string) => {
    const entry = running.get(jobId)
    if (!entry) return
    entry.link.cancel(entry.call, reason)
    if (entry.link.isStuck()) return entry.link.kill()
    clock.after(LOOK_AGAIN_MS, () => {
      if (links.has(entry.link) && entry.link.isStuck()) entry.link.kill()
    })
  }
  const forget = [
    queue.onWaiting(pump),
    queue.onStop(({ jobId, reason }) => stop(jobId, reason)),
    queue.onEnd(({ id }) => running.delete(id)),
  ]
  return {
    pump,
    links: () => [...links],
    any: () => pick() ?? usable()[0] ?? launch(),
    removed(link) {
      links.delete(link)
      retiring.delete(link)
      pump()
    },
    retire() {
      for (const link of links) retiring.add(link)
      endIdle()
    },
    close() {
      for (const end of forget) end()
      withdrawRecheck?.()
      for (const link of links) link.kill()
      links.clear()
    },
  }
}
