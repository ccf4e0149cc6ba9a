import { startChild } from './child.ts'
import type { WholeInput, WholeResult } from './programs/whole-build.ts'

/** One `vite build` in a process of its own. */
export async function buildWhole(input: WholeInput): Promise<WholeResult> {
  const child = await startChild<WholeResult>(new URL('./programs/whole-build.ts', import.meta.url), input)
  await child.stop()
  return child.ready
}
