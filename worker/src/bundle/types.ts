import type { BundleInfo } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'

/** The parts of a process that the program of a bundle uses. */
export type BundleProcess = Pick<
  NodeJS.Process,
  'argv' | 'cwd' | 'env' | 'exit' | 'exitCode' | 'on' | 'stderr' | 'stdout' | 'version'
>

/** What a bundle does, however it was started. */
export interface Program {
  /** The author's modules are there. */
  start(info: BundleInfo, functions: Functions): void
  /** Something was thrown while they were loading: nothing will start. */
  failToLoad(error: unknown): void
  /** Something was thrown later, and nobody caught it. */
  crash(error: unknown): void
}
