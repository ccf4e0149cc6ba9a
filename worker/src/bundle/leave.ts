import type { BundleProcess } from './types.ts'

/** How long a reader of the output may keep a process that has nothing else to do. */
const FLUSH_MS = 2_000

/** Ends the process when what it has written was taken: a pipe loses what still waits. */
export function leave({ stdout, exit }: Pick<BundleProcess, 'stdout' | 'exit'>, code: number): void {
  const end = () => exit(code)
  setTimeout(end, FLUSH_MS).unref()
  stdout.write('', end)
}
