const pending = new Set<() => void>()

/** Registers what must happen before this program ends, however it ends; the result takes it back. */
export function atEnd(run: () => void): () => void {
  pending.add(run)
  return () => void pending.delete(run)
}

process.on('exit', () => {
  for (const run of pending) run()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
