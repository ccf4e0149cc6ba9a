export type StopSignal = 'SIGINT' | 'SIGTERM'

/** What a command has to do with the world; tests give one of their own. */
export interface Io {
  cwd: string
  env: Record<string, string | undefined>
  /** One line to standard output, which other programs may read. */
  print(line: string): void
  /** One line to standard error: what went wrong, and what is going on. */
  warn(line: string): void
  /** Called for each SIGINT and SIGTERM, which end nothing by themselves from then on. */
  onSignal(listener: (signal: StopSignal) => void): void
  exit(code: number): void
  /** Milliseconds, counted from anywhere. */
  now(): number
}

/** This process. */
export function createProcessIo(): Io {
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    warn: (line) => void process.stderr.write(`${line}\n`),
    onSignal(listener) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => listener(signal))
    },
    exit: (code) => process.exit(code),
    now: () => performance.now(),
  }
}
