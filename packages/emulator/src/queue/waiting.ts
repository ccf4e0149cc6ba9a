/** Something that can stand in a line, in one at a time. The line keeps these fields. */
export interface Waiter<T> {
  line: Line<T> | null
  before: T | null
  after: T | null
}

export interface Line<T> {
  readonly size: number
  first(): T | undefined
  pushBack(value: T): void
  pushFront(value: T): void
  /** `false` when it stands in another line or in none. */
  remove(value: T): boolean
  [Symbol.iterator](): Iterator<T>
}

/**
 * First in, first out, at the same cost however long it is. The links are fields of what stands in it,
 * since jobs leave from the middle (cancel) and come back to the front (a lost worker), and there may be many.
 */
export function createLine<T extends Waiter<T>>(): Line<T> {
  let head: T | null = null
  let tail: T | null = null
  let size = 0
  const insert = (value: T, before: T | null, after: T | null) => {
    value.line = line
    value.before = before
    value.after = after
    if (before) before.after = value
    else head = value
    if (after) after.before = value
    else tail = value
    size++
  }
  const line: Line<T> = {
    get size() {
      return size
    },
    first: () => head ?? undefined,
    pushBack: (value) => insert(value, tail, null),
    pushFront: (value) => insert(value, null, head),
    remove(value) {
      if (value.line !== line) return false
      if (value.before) value.before.after = value.after
      else head = value.after
      if (value.after) value.after.before = value.before
      else tail = value.before
      value.line = value.before = value.after = null
      size--
      return true
    },
    *[Symbol.iterator]() {
      for (let value = head; value; value = value.after) yield value
    },
  }
  return line
}
