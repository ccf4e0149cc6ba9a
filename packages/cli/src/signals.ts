import type { Io } from './io.ts'

/** Package managers pass on a Ctrl+C that the terminal has sent to everybody already. */
const echoMs = 100

/** Aborts at the first signal and ends the process at the second, for whoever does not want to wait. */
export function stopOnSignal(io: Io, onStop: () => void): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  io.onSignal(() => {
    if (first === undefined) {
      first = io.now()
      onStop()
      controller.abort()
    } else if (io.now() - first > echoMs) {
      io.exit(0)
    }
  })
  return controller.signal
}
