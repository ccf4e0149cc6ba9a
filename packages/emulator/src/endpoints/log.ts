import type { LogLine, WorkerLog } from './types.ts'

const LINES = 5_000
const CHARACTERS = 8_192
const LAST_LINES = 20

/** A log as those who write it hold it. */
export interface OpenLog extends WorkerLog {
  add(source: LogLine['source'], text: string, at: number): void
  /** The last lines that the worker itself wrote. */
  lastOutput(): string
}

/** The last 5000 lines, each up to 8192 characters. */
export function createLog(): OpenLog {
  // A ring, since a worker that writes much would otherwise move 5000 lines for each new one.
  const ring: LogLine[] = []
  const listeners = new Set<(line: LogLine) => void>()
  let count = 0
  const lines = () => {
    const from = ring.length < LINES ? 0 : count % LINES
    return [...ring.slice(from), ...ring.slice(0, from)]
  }
  return {
    lines,
    onLine(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    add(source, text, at) {
      const line: LogLine = { source, line: cut(text), at, index: count }
      ring[count % LINES] = line
      count++
      for (const listener of Array.from(listeners)) listener(line)
    },
    lastOutput() {
      const written = lines().filter((line) => line.source === 'container')
      return written
        .slice(-LAST_LINES)
        .map((line) => line.line)
        .join('\n')
    },
  }
}

function cut(text: string): string {
  return text.length <= CHARACTERS ? text : `${text.slice(0, CHARACTERS)}…`
}
