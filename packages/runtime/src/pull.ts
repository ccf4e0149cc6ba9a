export interface PullSource<T> {
  /** The next thing to yield; nothing at the end. */
  next(isOver: () => boolean): Promise<{ value: T } | undefined>
  /** The loop was left early; what `next` throws from then on is of no interest. */
  abandon(): void
}

/**
 * A generator whose items are each fetched when they are asked for.
 * Unlike a generator's own, its `return()` does not wait for a `next()` that is under way, but ends it.
 */
export function pullGenerator<T>(source: PullSource<T>): AsyncGenerator<T, void> {
  let over = false
  let last: Promise<unknown> = Promise.resolve()

  const advance = async (): Promise<IteratorResult<T, void>> => {
    try {
      const item = over ? undefined : await source.next(() => over)
      if (item && !over) return { done: false, value: item.value }
    } catch (error) {
      if (!over) {
        over = true
        throw error
      }
    }
    over = true
    return { done: true, value: undefined }
  }
  const abandon = () => {
    if (!over) source.abandon()
    over = true
  }
  const generator: Omit<AsyncGenerator<T, void>, typeof Symbol.asyncDispose> = {
    next() {
      const result = last.then(advance)
      last = result.catch(() => {})
      return result
    },
    async return(value) {
      abandon()
      return { done: true, value: await value }
    },
    async throw(error) {
      abandon()
      throw error
    },
    [Symbol.asyncIterator]: () => generator as AsyncGenerator<T, void>,
  }
  return generator as AsyncGenerator<T, void>
}
