import {
  AppError,
  type BundleInfo,
  type FailureSource,
  isBalanced,
  systemClock,
  workerVariables,
} from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import { captureJobs } from '../execute/job-output.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import type { JobRunner } from '../queue/types.ts'
import { version } from '../version.ts'
import { describeFailure } from './failure.ts'
import { leave } from './leave.ts'
import { checkNode } from './node-version.ts'
import { type BundleRunner, createFailingRunner, createRunner } from './runner.ts'
import type { BundleProcess, Program } from './types.ts'

export interface QueueHost {
  process: BundleProcess
  /**
   * Takes jobs from the platform until the worker has to leave; gives the exit code.
   *
   * - `write`: takes lines of the log; the streams themselves belong to the jobs.
   */
  serveJobs(runner: JobRunner, write: (line: string) => void): Promise<number>
  /** Ends a process that serves. */
  crash(error: unknown): void
}

/** Takes jobs with the functions of the bundle; when its modules do not load, every job is told why. */
export function openQueue({ process, serveJobs, crash }: QueueHost): Program {
  const { env, stderr } = process
  const source: FailureSource = {
    hostname: env[workerVariables.hostname],
    workerId: env[workerVariables.worker],
    version,
  }
  const print = process.stdout.write.bind(process.stdout)
  const say = (error: unknown) => void stderr.write(`flash: ${describeFailure(error)}\n`)
  const serve = async (create: () => JobRunner) => {
    let code = 1
    try {
      code = await serveJobs(create(), (line) => void print(line))
    } catch (error) {
      say(error)
    }
    leave(process, code)
  }
  const failAll = (error: unknown) => {
    say(error)
    void serve(() => createFailingRunner(error, source))
  }
  let runner: BundleRunner | undefined
  return {
    start(info, functions) {
      if (info.functions.some(isBalanced)) failAll(answersRequests(info))
      else void serve(() => (runner = open(info, functions, process, source)))
    },
    failToLoad: failAll,
    crash(error) {
      if (!runner) return crash(error)
      say(error)
      runner.crash(error)
    },
  }
}

function answersRequests({ endpoint }: BundleInfo): AppError {
  return new AppError('BAD_ENVIRONMENT', {
    message: `the bundle of "${endpoint}" answers requests, and ${workerVariables.take} says that there is a queue`,
    hint: 'let the endpoint on the platform be of the load-balanced kind',
  })
}

function open(
  info: BundleInfo,
  functions: Functions,
  process: BundleProcess,
  source: FailureSource,
): BundleRunner {
  checkNode(info, process)
  const concurrency = readConcurrency(info, process.env)
  const { endpoint, instances: instanceLimit } = info
  const write = (stream: 'stdout' | 'stderr', text: string) => void process[stream].write(text)
  const worker = createWorker({ endpoint, instanceLimit, write })
  setCurrentWorker(worker)
  const output = captureJobs(process)
  return createRunner({ info, functions, worker, clock: systemClock, output, concurrency, source })
}

const CONCURRENCY = 'RUNPOD_MAX_CONCURRENCY'

function readConcurrency({ maxConcurrency }: BundleInfo, env: BundleProcess['env']): number {
  const text = env[CONCURRENCY]?.trim()
  if (!text) return maxConcurrency
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new AppError('BAD_ENVIRONMENT', {
    message: `${CONCURRENCY} is ${JSON.stringify(text)}, not a number of jobs`,
    hint: 'give a whole number from 1, or leave it out',
  })
}
