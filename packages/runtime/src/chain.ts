import { DEADLINE_HEADER, HOPS_HEADER, RemoteError } from '@flash/protocol'
import { currentCaller } from './caller.ts'
import type { CallOptions } from './types.ts'

/** What a call says of the calls that led to it. */
export interface Chain {
  /** How many they are, with this one. */
  hops?: number
  /** Milliseconds since the epoch: until when an answer is of use. */
  deadline?: number
}

/** A chain of calls that is longer has most likely no end. */
const hopsLimit = 16

/**
 * What a call that is made here says.
 *
 * - `timeoutMs`: of the call itself.
 * - throws `CALL_LOOP`.
 */
export function continueChain(endpoint: string, timeoutMs?: number): Chain {
  const caller = currentCaller()
  const hops = Math.max(caller?.hops ?? 0, 0) + 1
  if (hops > hopsLimit) {
    throw new RemoteError(
      'CALL_LOOP',
      `${callerName()} calls endpoint "${endpoint}" as number ${hops} of a chain of calls, and ${hopsLimit} is the limit`,
      { hint: 'look for functions of endpoints that call each other without an end' },
    )
  }
  return limitChain({ hops, deadline: caller?.deadline ?? undefined }, timeoutMs)
}

/** The same with a deadline that is no later than `timeoutMs` from `now`, in milliseconds since the epoch. */
export function limitChain(
  { hops, deadline }: Chain,
  timeoutMs: number | undefined,
  now = Date.now(),
): Chain {
  const ends = [deadline, timeoutMs === undefined ? undefined : now + timeoutMs]
  const known = ends.filter((end) => end !== undefined)
  return {
    ...(hops !== undefined && { hops }),
    ...(known.length > 0 && { deadline: Math.round(Math.min(...known)) }),
  }
}

export function toChainHeaders({ hops, deadline }: Chain): Record<string, string> {
  return {
    ...(hops !== undefined && { [HOPS_HEADER]: String(hops) }),
    ...(deadline !== undefined && { [DEADLINE_HEADER]: String(deadline) }),
  }
}

/** Of a request whose sender is one of ours; what cannot be read is left out. */
export function fromChainHeaders(headers: Headers): Chain {
  const read = (name: string) => {
    const text = headers.get(name) ?? ''
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const [hops, deadline] = [read(HOPS_HEADER), read(DEADLINE_HEADER)]
  return { ...(hops !== undefined && { hops }), ...(deadline !== undefined && { deadline }) }
}

/** Who makes a call here, as the beginning of a sentence. */
export function callerName(): string {
  const caller = currentCaller()
  return caller ? `endpoint "${caller.endpoint}"` : 'this worker'
}

/** What the call that code runs in may be stopped by stops the calls that it makes. */
export function inheritSignal<T extends Pick<CallOptions, 'signal'> | undefined>(options: T): T {
  const outer = currentCaller()?.signal
  if (!outer) return options
  const own = options?.signal
  return { ...options, signal: own ? AbortSignal.any([own, outer]) : outer } as T
}
