type Cleanup = () => void

const cleanups = new Set<Cleanup>()
const signals = ['SIGINT', 'SIGHUP', 'SIGTERM'] as const
let watching = false

/** Runs `cleanup` when this process ends: by itself, by `process.exit()`, or by Ctrl+C, a closed terminal and SIGTERM. */
export function onExit(cleanup: Cleanup): () => void {
  if (!watching) watch()
  cleanups.add(cleanup)
  return () => cleanups.delete(cleanup)
}

function watch(): void {
  watching = true
  process.on('exit', cleanUp)
  for (const signal of signals) process.on(signal, endBy)
}

function cleanUp(): void {
  for (const cleanup of cleanups) cleanup()
  cleanups.clear()
}

/** Our listener must not keep a signal from ending the process; where others listen, they decide. */
function endBy(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  cleanUp()
  process.off(signal, endBy)
  process.kill(process.pid, signal)
}
