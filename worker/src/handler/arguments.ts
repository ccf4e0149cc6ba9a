import { AppError, workerVariables } from '@flash/protocol'
import { readTestJob, type TestJob } from '../bundle/test-job.ts'

/** What a hand-written worker does. */
export type HandlerMode =
  /** Answers calls of this machine over HTTP. */
  | { kind: 'api'; host: string; port: number; concurrency: number }
  /** Runs one job. */
  | { kind: 'test'; job: TestJob }
  /** Takes jobs from the platform. */
  | { kind: 'queue'; logLevel: string | undefined }

export interface HandlerStart {
  /** After the program's own name. */
  args: readonly string[]
  env: Record<string, string | undefined>
  /** Where files are looked for. */
  folder: string
}

type Flag =
  | 'rp_serve_api'
  | 'rp_api_host'
  | 'rp_api_port'
  | 'rp_api_concurrency'
  | 'rp_log_level'
  | 'rp_debugger'
  | 'test_input'

const switches: ReadonlySet<string> = new Set<Flag>(['rp_serve_api', 'rp_debugger'])
const withValue: ReadonlySet<string> = new Set<Flag>([
  'rp_api_host',
  'rp_api_port',
  'rp_api_concurrency',
  'rp_log_level',
  'test_input',
])

/**
 * What the arguments ask for, first, and then the variables. Arguments that are not known are left to the user's program.
 *
 * - throws `BAD_REQUEST` for a known argument with a value that cannot be used, and for a job that cannot be read.
 *
 * Source: runpod-python 1.12, serverless worker.
 */
export function readHandlerMode({ args, env, folder }: HandlerStart): HandlerMode {
  const given = readFlags(args)
  if (given.has('rp_serve_api')) {
    return {
      kind: 'api',
      host: given.get('rp_api_host') || '127.0.0.1',
      port: readNumber(given, 'rp_api_port', 8_000, 0, 65_535),
      concurrency: readNumber(given, 'rp_api_concurrency', 1, 1, 10_000),
    }
  }
  if (!given.has('test_input') && env[workerVariables.take]?.trim())
    return { kind: 'queue', logLevel: given.get('rp_log_level') }
  const job = readTestJob(given.get('test_input'), folder)
  if (job.input !== null) return { kind: 'test', job }
  throw new AppError('BAD_REQUEST', {
    message: 'the job has no input: it is null',
    hint: 'write {"input": {…}}',
  })
}

/** By Python's spelling; a hyphen is as good as its underscore. */
function readFlags(args: readonly string[]): Map<Flag, string | undefined> {
  const given = new Map<Flag, string | undefined>()
  for (let at = 0; at < args.length; at++) {
    const [, name = '', value] = /^--([\w-]+)(?:=(.*))?$/s.exec(args[at]!) ?? []
    const flag = name.replaceAll('-', '_') as Flag
    if (switches.has(flag)) given.set(flag, undefined)
    if (!withValue.has(flag)) continue
    const next = args[at + 1]
    const takesNext = value === undefined && next !== undefined && !next.startsWith('--')
    given.set(flag, takesNext ? next : value)
    if (takesNext) at++
  }
  return given
}

function readNumber(
  given: ReadonlyMap<Flag, string | undefined>,
  flag: Flag,
  usual: number,
  min: number,
  max: number,
): number {
  if (!given.has(flag)) return usual
  const text = given.get(flag) ?? ''
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new AppError('BAD_REQUEST', {
    message: `--${flag} is ${JSON.stringify(text)}, not a whole number from ${min} to ${max}`,
  })
}
