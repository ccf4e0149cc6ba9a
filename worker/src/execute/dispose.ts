interface Disposable {
  [Symbol.asyncDispose]?: () => PromiseLike<unknown>
  [Symbol.dispose]?: () => unknown
  dispose?: () => unknown
}

/** Lets a state or an instance clean up after itself: `Symbol.asyncDispose`, `Symbol.dispose` or `dispose()`. */
export async function dispose(value: unknown, report: (error: unknown) => void): Promise<void> {
  if (typeof value !== 'object' || value === null) return
  const thing = value as Disposable
  try {
    const end = thing[Symbol.asyncDispose] ?? thing[Symbol.dispose] ?? thing.dispose
    if (typeof end === 'function') await end.call(thing)
  } catch (error) {
    // Nobody waits for it: the call that used the thing has its answer already.
    report(error)
  }
}
