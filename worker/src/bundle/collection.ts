/** The items of a generator's job, for callers that wait for all of them. */
export interface Collection {
  readonly count: number
  /** There were too many to be one result. */
  readonly overflowed: boolean
  add(json: string, kept: boolean): void
  /** JSON text of the list. */
  text(): string
}

/** - `limitBytes`: of the list; when it is longer, the list is empty, and the items are in the job's stream only. */
export function createCollection(limitBytes: number): Collection {
  let kept: string[] = []
  let bytes = 2
  let count = 0
  return {
    get count() {
      return count
    },
    get overflowed() {
      return bytes > limitBytes
    },
    add(json, keep) {
      count++
      if (!keep || bytes > limitBytes) return
      bytes += Buffer.byteLength(json) + 1
      if (bytes > limitBytes) kept = []
      else kept.push(json)
    },
    text: () => `[${kept.join(',')}]`,
  }
}
