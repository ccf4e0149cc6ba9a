import { AppError, workerVariables } from '@flash/protocol'
import { readTestInput, type TestRequest, testWays } from './test-job.ts'

/** How a bundle was started. */
export type Mode =
  /** Serves calls over a pipe. */
  | { kind: 'channel'; descriptor: number }
  /** Takes jobs from the platform. */
  | { kind: 'queue' }
  /** Answers requests, where the bundle is made for that. */
  | { kind: 'requests' }
  /** Runs one job. */
  | { kind: 'test'; id: string; input: unknown }
  /** Answers one request. */
  | { kind: 'request'; request: TestRequest }

export interface Start {
  /** After the program's own name. */
  args: readonly string[]
  env: Record<string, string | undefined>
  /** Where files of the arguments are looked for. */
  folder: string
}

/** By this variable a host says at which file descriptor it listens. */
const CHANNEL = 'FLASH_WORKER_CHANNEL'

/** Without these no job can be taken and answered. */
const queueVariables = [workerVariables.take, workerVariables.done, workerVariables.stream]

/**
 * What the variables and arguments of the process ask for. The variable of the channel is gone afterwards: processes that a
 * function starts are no workers.
 *
 * - throws `BAD_REQUEST` for arguments that cannot be understood.
 */
export function readMode({ args, env, folder }: Start): Mode {
  const channel = env[CHANNEL]
  delete env[CHANNEL]
  if (channel) return { kind: 'channel', descriptor: readDescriptor(channel) }
  if (args.length > 0) return readTest(args, folder)
  if (env[workerVariables.take]?.trim()) return { kind: 'queue' }
  return { kind: 'requests' }
}

/** Nothing says what a bundle with a queue has to do. */
export function noQueue(): AppError {
  return new AppError('NOT_AVAILABLE', {
    message: `there is no queue to take jobs from: ${queueVariables.join(', ')} are not set; a worker of the platform has them`,
    hint: `${testWays}; \`vite preview\` serves all bundles of a project`,
  })
}

function readTest(args: readonly string[], folder: string): Mode {
  const [first, ...rest] = args as [string, ...string[]]
  const flag = /^--test[-_]input(?:=(.*))?$/s.exec(first)
  const value = flag?.[1] ?? rest.shift()
  const unknown = flag ? rest[0] : first
  if (unknown !== undefined || value?.startsWith('--')) {
    throw usage(`the argument ${JSON.stringify(unknown ?? value)} is not known`)
  }
  return toMode(readTestInput(value, folder))
}

function toMode(given: ReturnType<typeof readTestInput>): Mode {
  if (given.kind === 'request') return given
  const { id, input } = given.job
  return { kind: 'test', id: (typeof id === 'string' && id) || 'test-input', input }
}

function readDescriptor(text: string): number {
  if (/^[3-9]$/.test(text)) return Number(text)
  throw usage(`${CHANNEL} is ${JSON.stringify(text)}, and no number of an open pipe`)
}

function usage(message: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint: testWays })
}
