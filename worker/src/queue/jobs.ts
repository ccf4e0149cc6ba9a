import type { Clock, TakenJob } from '@flash/protocol'
import { createGate, type Gate } from './gate.ts'

/** A job that this worker has to do with, from its arrival until nothing more is to be done for it. */
export interface HeldJob {
  id: string
  /** What its function, and whatever is sent for it, listens to. */
  abort: AbortController
  /** It does not count among those that run beside each other. */
  isAside: boolean
  /** Nobody wants to hear of it any more. */
  isReleased: boolean
}

export interface Jobs {
  /** All of them, also those whose result waits. */
  readonly ids: Iterable<string>
  readonly count: number
  has(id: string): boolean
  /** How many more can be taken. */
  free(): number
  setConcurrency(concurrency: number): void
  /** Starts them, or lets them wait until there is room. */
  add(jobs: TakenJob[]): void
  /**
   * A job whose result is still to be posted, and nothing else.
   *
   * - `isAside`: others may run meanwhile, however many there are.
   */
  addResult(id: string, isAside: boolean): HeldJob
  /** Its result takes long; others may run meanwhile, as long as there are not too many like it. */
  setAside(held: HeldJob): void
  release(held: HeldJob): void
  /** Aborts those of the ids that are here, and says how many; a function that goes on is not waited for longer than the grace. */
  stop(ids: Iterable<string>, reason: Error): number
  /** Resolves when something has changed, or a second is over. */
  changed(): Promise<void>
  /** Lets those who wait for a change look. */
  wake(): void
}

export interface JobsOptions {
  clock: Clock
  graceMs: number
  run(job: TakenJob, held: HeldJob): void
  /** `ids` has become another. Of new ones it is told before their functions begin. */
  onChange(isNew: boolean): void
}

/** Results that may wait while other jobs run: each is kept in memory. */
const asideLimit = 16

interface State extends JobsOptions {
  held: Map<string, HeldJob>
  /** Those whose function has not begun. */
  waiting: Map<HeldJob, TakenJob>
  gate: Gate
  concurrency: number
  aside: number
}

export function createJobs(options: JobsOptions): Jobs {
  const gate = createGate(options.clock)
  const state: State = { ...options, held: new Map(), waiting: new Map(), gate, concurrency: 1, aside: 0 }
  const { held, waiting, onChange } = state
  return {
    get ids() {
      return held.keys()
    },
    get count() {
      return held.size
    },
    has: (id) => held.has(id),
    free: () => state.concurrency - (held.size - state.aside),
    setConcurrency(next) {
      state.concurrency = next
      startWaiting(state)
    },
    add(jobs) {
      for (const job of jobs) waiting.set(hold(state, job.id, false), job)
      onChange(true)
      startWaiting(state)
    },
    addResult(id, isAside) {
      const one = hold(state, id, isAside)
      onChange(true)
      return one
    },
    setAside: (one) => setAside(state, one),
    release: (one) => release(state, one),
    stop: (ids, reason) => stop(state, ids, reason),
    changed: gate.wait,
    wake: gate.open,
  }
}

function hold(state: State, id: string, isAside: boolean): HeldJob {
  const one: HeldJob = { id, abort: new AbortController(), isAside, isReleased: false }
  state.held.set(id, one)
  if (isAside) state.aside++
  return one
}

function startWaiting(state: State): void {
  const { held, waiting } = state
  for (const [one, job] of waiting) {
    if (held.size - waiting.size - state.aside >= state.concurrency) return
    waiting.delete(one)
    state.run(job, one)
  }
}

function makeRoom(state: State): void {
  startWaiting(state)
  state.gate.open()
}

function setAside(state: State, one: HeldJob): void {
  if (one.isReleased || one.isAside || state.aside >= asideLimit) return
  one.isAside = true
  state.aside++
  makeRoom(state)
}

function release(state: State, one: HeldJob): void {
  if (one.isReleased) return
  one.isReleased = true
  state.held.delete(one.id)
  state.waiting.delete(one)
  if (one.isAside) state.aside--
  state.onChange(false)
  makeRoom(state)
}

function stop(state: State, ids: Iterable<string>, reason: Error): number {
  let count = 0
  for (const id of ids) {
    const one = state.held.get(id)
    if (!one || one.abort.signal.aborted) continue
    const hasBegun = !state.waiting.has(one)
    one.abort.abort(reason)
    if (hasBegun) state.clock.after(state.graceMs, () => release(state, one))
    else release(state, one)
    count++
  }
  return count
}
