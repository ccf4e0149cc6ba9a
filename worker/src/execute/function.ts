export interface RunOptions {
  signal: AbortSignal
  /** Awaited before the next item is asked for. */
  onItem(value: unknown): unknown
}

/** What a function made: one value, or items that were all handed to `onItem`. */
export type RunResult = { kind: 'value'; value: unknown } | { kind: 'stream' }

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/**
 * Runs a function to its end, whether it returns, promises, generates or does both.
 *
 * - abort: a generator is told to return, and the result is `signal.reason`, once the function has really ended.
 */
export async function runFunction(call: () => unknown, options: RunOptions): Promise<RunResult> {
  options.signal.throwIfAborted()
  const made = call()
  const value = isStream(made) ? made : await made
  if (isStream(value)) {
    await consume(value, options)
    return { kind: 'stream' }
  }
  return { kind: 'value', value }
}

/** Asynchronous iterables of every kind, and generators; other iterables (arrays, maps) are values. */
function isStream(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return false
  if (typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function') return true
  return Object.prototype.toString.call(value) === '[object Generator]'
}

function iterate(iterable: AsyncIterable<unknown> | Iterable<unknown>): AnyIterator {
  return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
}

async function consume(
  iterable: AsyncIterable<unknown> | Iterable<unknown>,
  options: RunOptions,
): Promise<void> {
  const { signal } = options
  const iterator = iterate(iterable)
  let left: Promise<unknown> | undefined
  // What a generator throws while it is being left interests nobody any more.
  const leave = () => (left ??= Promise.resolve(iterator.return?.()).catch(() => {}))
  signal.addEventListener('abort', leave, { once: true })
  try {
    await pump(iterator, options)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', leave)
    await leave()
  }
  signal.throwIfAborted()
}

async function pump(iterator: AnyIterator, { signal, onItem }: RunOptions): Promise<void> {
  const breath = createBreath()
  while (!signal.aborted) {
    const { done, value } = await iterator.next()
    if (done || signal.aborted) return
    await onItem(await value)
    await breath()
  }
}

// Taken when the module loads: tests replace the global ones by timers that stand still.
const { setTimeout } = globalThis
const TURN_MS = 10

/** Lets the event loop turn now and then: a generator that never waits would keep every abort out. */
function createBreath(): () => Promise<void> | undefined {
  let last = performance.now()
  return () => {
    if (performance.now() - last < TURN_MS) return undefined
    return new Promise<void>((resolve) => setTimeout(resolve)).then(() => void (last = performance.now()))
  }
}
