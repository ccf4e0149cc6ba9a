import { AppError, type Clock } from '@flash/protocol'

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerPolicy {
  /** So many failures in a row, within `windowMs`, open it. */
  failures: number
  windowMs: number
  /** How long it stays open. */
  coolMs: number
  /** So many probes that succeed, one after the other, close it. */
  successes: number
}

const breakerDefaults: BreakerPolicy = {
  failures: 5,
  windowMs: 60_000,
  coolMs: 60_000,
  successes: 2,
}

export interface BreakerOptions {
  /** What messages call what is called. */
  name: string
  policy?: BreakerPolicy
  /** Whether an error says that the other side is in trouble; what its users do wrong does not. */
  isFailure(error: unknown): boolean
  clock: Clock
  onChange?(from: BreakerState, to: BreakerState): void
}

/** Spares an address that fails again and again, and its callers the waiting. */
export interface Breaker {
  state(): BreakerState
  /** Does it, unless the breaker is open, or half open with a probe on its way: then it throws `CIRCUIT_OPEN`. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Counts what failed outside `run`. */
  note(error: unknown): void
}

/**
 * Closed, it lets everything through and counts failures; open, nothing; half open, one probe at a time.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { isFailure } = options
  const circuit = createCircuit(options)
  let isProbing = false
  let lastFailure: unknown
  const note = (error: unknown) => {
    if (!isFailure(error)) return
    lastFailure = error
    circuit.fail()
  }
  return {
    state: circuit.state,
    note,
    async run(work) {
      const state = circuit.state()
      const isProbe = state === 'half-open'
      if (state === 'open' || (isProbe && isProbing))
        throw refuse(options.name, circuit.leftMs(), lastFailure)
      if (isProbe) isProbing = true
      try {
        const value = await work()
        // What began before it opened says nothing about now.
        if (circuit.state() === state) circuit.succeed()
        return value
      } catch (error) {
        note(error)
        throw error
      } finally {
        if (isProbe) isProbing = false
      }
    },
  }
}

/** Where it stands, by what failed and succeeded and when. */
function createCircuit({ policy = breakerDefaults, clock, onChange }: BreakerOptions) {
  let state: BreakerState = 'closed'
  let failures: number[] = []
  let successes = 0
  let openedAt = 0
  const leftMs = () => Math.max(openedAt + policy.coolMs - clock.now(), 0)
  const change = (to: BreakerState) => {
    const from = state
    state = to
    failures = []
    successes = 0
    if (to === 'open') openedAt = clock.now()
    onChange?.(from, to)
  }
  const look = (): BreakerState => {
    if (state === 'open' && leftMs() === 0) change('half-open')
    return state
  }
  return {
    leftMs,
    state: look,
    fail() {
      if (look() === 'half-open') return change('open')
      if (state === 'open') return
      const now = clock.now()
      failures = [...failures.filter((at) => now - at < policy.windowMs), now]
      if (failures.length >= policy.failures) change('open')
    },
    succeed() {
      failures = []
      if (state === 'half-open' && ++successes >= policy.successes) change('closed')
    },
  }
}

function refuse(name: string, leftMs: number, cause: unknown): AppError {
  const seconds = Math.ceil(leftMs / 1000)
  const when = seconds > 0 ? `for ${seconds} more seconds` : 'until the call that tries it out has ended'
  return new AppError('CIRCUIT_OPEN', {
    message: `${name} failed several times in a row, so nothing is sent to it ${when}`,
    hint: 'look at the cause: its address, its workers or the network; FLASH_CIRCUIT_BREAKER_ENABLED=0 turns this off',
    data: { retryAfterMs: leftMs },
    cause,
  })
}
