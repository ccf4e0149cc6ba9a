import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '@flash/protocol'
import { parseJson } from './json.ts'

/** How a bundle was started. */
export type Mode =
  /** Serves calls over a pipe. */
  | { kind: 'channel'; descriptor: number }
  /** Runs one job. */
  | { kind: 'test'; id: string; input: unknown }

export interface Start {
  /** After the program's own name. */
  args: readonly string[]
  env: Record<string, string | undefined>
  /** Where files of the arguments are looked for. */
  folder: string
}

/** By this variable a host says at which file descriptor it listens. */
const CHANNEL = 'FLASH_WORKER_CHANNEL'

/** What `--test-input` reads without a value; Python's workers know the same name. */
const TEST_FILE = 'test_input.json'

const ways = `run one job with --test-input '{"input":{…}}', with --test-input <file>, or with a file ${TEST_FILE} here`

/**
 * What the variables and arguments of the process ask for. The variable is gone afterwards: processes that a function
 * starts are no workers.
 *
 * - throws `BAD_REQUEST` for arguments that cannot be understood, `NOT_AVAILABLE` when there are none.
 */
export function readMode({ args, env, folder }: Start): Mode {
  const channel = env[CHANNEL]
  delete env[CHANNEL]
  if (channel) return { kind: 'channel', descriptor: readDescriptor(channel) }
  const [first, ...rest] = args
  if (first === undefined) {
    throw new AppError('NOT_AVAILABLE', {
      message: 'a bundle that is started by itself takes no jobs from a queue in this version',
      hint: `${ways}; \`vite preview\` serves all bundles of a project`,
    })
  }
  const flag = /^--test[-_]input(?:=(.*))?$/s.exec(first)
  const value = flag?.[1] ?? rest.shift()
  const unknown = flag ? rest[0] : first
  if (unknown !== undefined || value?.startsWith('--')) {
    throw usage(`the argument ${JSON.stringify(unknown ?? value)} is not known`)
  }
  return { kind: 'test', ...readJob(value, folder) }
}

function readDescriptor(text: string): number {
  if (/^[3-9]$/.test(text)) return Number(text)
  throw usage(`${CHANNEL} is ${JSON.stringify(text)}, and no number of an open pipe`)
}

/** A job is `{ "input": {…} }`, with an id where that matters. */
function readJob(value: string | undefined, folder: string): { id: string; input: unknown } {
  const isText = value !== undefined && /^\s*[{["]/.test(value)
  const name = value || TEST_FILE
  const source = isText ? 'the value of --test-input' : name
  const job = parseJson(isText ? value : readFile(resolve(folder, name), name), source)
  if (!isRecord(job) || !Object.hasOwn(job, 'input')) {
    throw new AppError('BAD_REQUEST', {
      message: `${source} is no job: it has no "input"`,
      hint: 'write {"input": {…}}, with the parameters of the function by their names',
    })
  }
  return { id: typeof job.id === 'string' && job.id ? job.id : 'test-input', input: job.input }
}

function readFile(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new AppError('BAD_REQUEST', {
      message: code === 'ENOENT' ? `there is no file ${file}` : `${name} cannot be read: ${code}`,
      hint: ways,
    })
  }
}

function usage(message: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint: ways })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
