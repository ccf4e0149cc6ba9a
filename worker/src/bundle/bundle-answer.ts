import type { BundleFunction, BundleInfo } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import type { Worker } from '../execute/worker.ts'
import { findCallee } from '../local/calls.ts'
import type { Answer } from '../routes/answer.ts'
import { type BalancedRuntime, runtimeOf } from '../routes/runtime.ts'

export interface BundleAnswer {
  answer: Answer<BundleFunction>
  runtime: BalancedRuntime
}

/** What answers requests with the functions of a bundle, whose code never changes. */
export function createBundleAnswer(info: BundleInfo, functions: Functions, worker: Worker): BundleAnswer {
  const modules = { __flash_functions: functions }
  const runtime = runtimeOf(Object.values(functions))
  const load = ({ id }: BundleFunction) => findCallee(modules, id, 'the bundle')
  const answer = runtime.createAnswer<BundleFunction>({ worker, load })
  answer.serve(info.functions)
  return { answer, runtime }
}
