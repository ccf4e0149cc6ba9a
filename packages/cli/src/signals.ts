import type { Io, StopSignal } from './io.ts'

/** Package managers pass on a Ctrl+C that the terminal has sent to everybody already. */
const echoMs = 100

/** As shells give them to what a signal ended. */
const exitCodes: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143 }

/** Aborts at the first signal and ends the process at the second, for whoever does not want to wait. */
export function stopOnSignal(io: Io, onStop: () => void): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  io.onSignal((signal) => {
    if (first === undefined) {
      first = io.now()
      onStop()
      controller.abort()
    } else if (io.now() - first > echoMs) {
      io.exit(exitCodes[signal])
    }
  })
  return controller.signal
}
