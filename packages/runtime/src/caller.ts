/** What is known of the call that code runs in, as far as calls that it makes have to know it. */
export interface Caller {
  /** Aborts when that call is cancelled, when its time is over, and when the worker stops. */
  signal: AbortSignal
  endpoint: string
  /** Milliseconds since the epoch; `null` without a limit, and in `setup`. */
  deadline: number | null
  /** How many calls of endpoints led to it. */
  hops: number
}

const storageKey = Symbol.for('unplugin-flash.context')
/** Beside what the author sees of a context; `setup` has none. */
const hopsKey = Symbol.for('unplugin-flash.hops')

type Context = Pick<Caller, 'signal' | 'endpoint' | 'deadline'> & { [hopsKey]?: number }

/** The remote function, or its `setup`, that this code runs in. A worker leaves word of it on the global object. */
export function currentCaller(): Caller | undefined {
  const shared = globalThis as { [storageKey]?: { getStore(): Context | undefined } }
  const context = shared[storageKey]?.getStore()
  if (!context) return undefined
  const { signal, endpoint } = context
  const hops = context[hopsKey]
  return { signal, endpoint, deadline: hops === undefined ? null : context.deadline, hops: hops ?? 0 }
}
