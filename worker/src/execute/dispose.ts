interface Disposable {
  [Symbol.asyncDispose]?: () => PromiseLike<unknown>
  [Symbol.dispose]?: () => unknown
  dispose?: () => unknown
}

/** Lets a state or an instance clean up after itself: `Symbol.asyncDispose`, `Symbol.dispose` or `dispose()`. */
export async function dispose(value: unknown, report: (error: unknown) => void): Promise<void> {
  try {
    await findEnd(value)?.call(value)
  } catch (error) {
    // Nobody waits for it: the call that used the thing has its answer already.
    report(error)
  }
}

export function isDisposable(value: unknown): boolean {
  return findEnd(value) !== undefined
}

function findEnd(value: unknown): (() => unknown) | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const thing = value as Disposable
  const end = thing[Symbol.asyncDispose] ?? thing[Symbol.dispose] ?? thing.dispose
  return typeof end === 'function' ? end : undefined
}
