import type { MapOptions } from './types.ts'

/**
 * Calls once for each item, so many at a time; results are in the order of the items.
 *
 * - without `settle` the first failure stops the other calls and is thrown.
 * - `outer`: stops all of them; its reason is thrown.
 */
export async function mapItems<T>(
  items: Iterable<unknown>,
  { concurrency = 8, settle = false }: MapOptions,
  outer: AbortSignal | undefined,
  callOne: (item: unknown, signal: AbortSignal) => Promise<T>,
): Promise<(T | PromiseSettledResult<T>)[]> {
  if (!(concurrency >= 1)) throw new RangeError(`concurrency is ${concurrency}, it must be 1 or more`)
  outer?.throwIfAborted()
  const stop = new AbortController()
  const follow = () => stop.abort(outer!.reason)
  outer?.addEventListener('abort', follow, { once: true })

  const results: (T | PromiseSettledResult<T>)[] = []
  const list = Array.from(items)
  const entries = list.entries()
  const lane = async () => {
    for (const [index, item] of entries) {
      stop.signal.throwIfAborted()
      results[index] = await settled(callOne(item, stop.signal))
    }
  }
  const settled = (call: Promise<T>): Promise<T | PromiseSettledResult<T>> =>
    call.then(
      (value) => (settle ? { status: 'fulfilled', value } : value),
      (reason) => {
        if (settle && !stop.signal.aborted) return { status: 'rejected', reason }
        stop.abort()
        throw reason
      },
    )
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, lane))
    return results
  } finally {
    outer?.removeEventListener('abort', follow)
  }
}
