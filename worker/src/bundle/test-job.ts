import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '@flash/protocol'
import { parseJson } from './json.ts'

/** What `--test-input` reads without a value; Python's workers know the same name. */
const TEST_FILE = 'test_input.json'

/** The ways to give one job to a program. */
export const testWays = `run one job with --test-input '{"input":{…}}', with --test-input <file>, or with a file ${TEST_FILE} here`

/** A job that somebody wrote by hand; what else is in it belongs to the job too. */
export type TestJob = { input: unknown } & Record<string, unknown>

/**
 * The job of `--test-input`.
 *
 * - `value`: JSON, when it begins like it; else a file below `folder`, `test_input.json` when there is none.
 * - throws `BAD_REQUEST` for a file that cannot be read, and for what is no job.
 */
export function readTestJob(value: string | undefined, folder: string): TestJob {
  const isText = value !== undefined && /^\s*[{["]/.test(value)
  const name = value || TEST_FILE
  const source = isText ? 'the value of --test-input' : name
  const job = parseJson(isText ? value : readFile(resolve(folder, name), name), source)
  if (isJob(job)) return job
  throw new AppError('BAD_REQUEST', {
    message: `${source} is no job: it has no "input"`,
    hint: 'write {"input": {…}}, with the parameters of the function by their names',
  })
}

function readFile(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new AppError('BAD_REQUEST', {
      message: code === 'ENOENT' ? `there is no file ${file}` : `${name} cannot be read: ${code}`,
      hint: testWays,
    })
  }
}

function isJob(value: unknown): value is TestJob {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isRecord && Object.hasOwn(value, 'input')
}
