import type { Clock } from '@flash/protocol'

/** Something that has a deadline. The timers keep these fields. */
export interface Timed {
  dueAt: number
  /** Where it is in the heap; -1 without a deadline. */
  place: number
}

export interface Timers<T> {
  /** Replaces the deadline that `key` had. */
  set(key: T, at: number): void
  clear(key: T): void
  close(): void
}

/**
 * One deadline for each key, and one timer of the clock for all of them: the earliest.
 * A timer for each job would cost more than the rest of its life in the queue.
 */
export function createTimers<T extends Timed>(clock: Clock, due: (key: T) => void): Timers<T> {
  const heap: T[] = []
  let armedAt = Number.POSITIVE_INFINITY
  let disarm = () => {}

  const arm = () => {
    const first = heap[0]
    // A timer that is too early finds nothing due and arms itself again: cheaper than moving it for each job.
    if (!first || first.dueAt >= armedAt) return
    disarm()
    armedAt = first.dueAt
    disarm = clock.after(Math.max(0, first.dueAt - clock.now()), fire)
  }
  const fire = () => {
    armedAt = Number.POSITIVE_INFINITY
    for (let first = heap[0]; first && first.dueAt <= clock.now(); first = heap[0]) {
      take(heap, first)
      due(first)
    }
    arm()
  }
  return {
    set(key, at) {
      take(heap, key)
      key.dueAt = at
      key.place = heap.push(key) - 1
      rise(heap, key)
      arm()
    },
    clear: (key) => take(heap, key),
    close() {
      disarm()
      armedAt = Number.POSITIVE_INFINITY
      for (const key of heap.splice(0)) key.place = -1
    },
  }
}

function take<T extends Timed>(heap: T[], key: T): void {
  const { place } = key
  if (place < 0) return
  key.place = -1
  const last = heap.pop()!
  if (last === key) return
  put(heap, last, place)
  sink(heap, last)
  rise(heap, last)
}

function put<T extends Timed>(heap: T[], key: T, place: number): void {
  heap[place] = key
  key.place = place
}

function rise<T extends Timed>(heap: T[], key: T): void {
  while (key.place > 0) {
    const parent = heap[(key.place - 1) >> 1]!
    if (parent.dueAt <= key.dueAt) return
    const { place } = parent
    put(heap, parent, key.place)
    put(heap, key, place)
  }
}

function sink<T extends Timed>(heap: T[], key: T): void {
  for (;;) {
    const left = heap[2 * key.place + 1]
    const right = heap[2 * key.place + 2]
    const child = right && left && right.dueAt < left.dueAt ? right : left
    if (!child || child.dueAt >= key.dueAt) return
    const { place } = child
    put(heap, child, key.place)
    put(heap, key, place)
  }
}
