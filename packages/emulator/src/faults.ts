/** Who answers a request: the account, an endpoint's queue, a worker behind the balancer, or the queue towards its workers. */
export type Plane = 'control' | 'data' | 'balanced' | 'worker'

type FaultKind =
  /** Workers are ready this much later than they would be. */
  | { kind: 'coldStart'; seconds: number }
  /** No worker can be placed anywhere. */
  | { kind: 'noCapacity' }
  /** Workers are placed but kept waiting. */
  | { kind: 'throttled' }
  /** Workers end as soon as they have started. */
  | { kind: 'crashLoop' }
  /** The image takes this long to arrive. */
  | { kind: 'slowPull'; seconds: number }
  /** 429 with `Retry-After`. */
  | { kind: 'rateLimit'; plane: Plane; retryAfterSeconds: number }
  | { kind: 'serverError'; plane: Plane; status: number }
  /** The work is done, then the connection breaks without an answer. */
  | { kind: 'lostResponse'; plane: Plane }
  /** The result of a job is gone: 404. */
  | { kind: 'expiredResult' }
  /** The answer stops in the middle of its body. */
  | { kind: 'truncatedBody'; plane: Plane }

/**
 * Something that goes wrong on purpose.
 *
 * - `endpoint`: id or name of the one that it happens to; every one when omitted.
 * - `times`: how often it still happens; until it is removed when omitted.
 */
export type Fault = { id: string; endpoint?: string; times?: number } & FaultKind

export type NewFault = { endpoint?: string; times?: number } & FaultKind

export interface FaultPlace {
  /** Its id. */
  endpoint?: string
  name?: string
  plane?: Plane
}

export interface Faults {
  add(fault: NewFault): Fault
  list(): Fault[]
  /** The one with the id, or all. */
  remove(id?: string): void
  /** The oldest one of a kind that applies here, counted as having happened. */
  take<K extends Fault['kind']>(kind: K, place?: FaultPlace): Extract<Fault, { kind: K }> | undefined
}

export function createFaults(): Faults {
  const faults = new Map<string, Fault>()
  let count = 0
  return {
    add(given) {
      const fault: Fault = { ...given, id: `fault-${++count}` }
      faults.set(fault.id, fault)
      return { ...fault }
    },
    list: () => Array.from(faults.values(), (fault) => ({ ...fault })),
    remove(id) {
      if (id === undefined) faults.clear()
      else faults.delete(id)
    },
    take(kind, place = {}) {
      if (faults.size === 0) return undefined
      for (const fault of faults.values()) {
        if (fault.kind !== kind || !appliesTo(fault, place)) continue
        spend(faults, fault)
        return { ...fault } as Extract<Fault, { kind: typeof kind }>
      }
      return undefined
    },
  }
}

function appliesTo(fault: Fault, { endpoint, name, plane }: FaultPlace): boolean {
  if (fault.endpoint !== undefined && fault.endpoint !== endpoint && fault.endpoint !== name) return false
  return !('plane' in fault) || fault.plane === plane
}

function spend(faults: Map<string, Fault>, fault: Fault): void {
  if (fault.times === undefined) return
  fault.times--
  if (fault.times <= 0) faults.delete(fault.id)
}
