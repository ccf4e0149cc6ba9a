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

/** A request that somebody wrote by hand, for a bundle that answers requests. */
export interface TestRequest {
  /** GET when it is missing, and there is no body; else POST. */
  method?: string
  path: string
  headers?: Record<string, string>
  /** A text as it is, all else as JSON. */
  body?: unknown
}

/**
 * The job of `--test-input`.
 *
 * - `value`: JSON, when it begins like it; else a file below `folder`, `test_input.json` when there is none.
 * - throws `BAD_REQUEST` for a file that cannot be read, and for what is no job.
 */
export function readTestJob(value: string | undefined, folder: string): TestJob {
  const { job, source } = read(value, folder)
  if (isJob(job)) return job
  throw noJob(source)
}

/** The same, or `{"request": {…}}`. */
export function readTestInput(
  value: string | undefined,
  folder: string,
): { kind: 'job'; job: TestJob } | { kind: 'request'; request: TestRequest } {
  const { job, source } = read(value, folder)
  if (isJob(job)) return { kind: 'job', job }
  if (!isRecord(job) || !Object.hasOwn(job, 'request')) throw noJob(source)
  if (isRequest(job.request)) return { kind: 'request', request: job.request }
  throw new AppError('BAD_REQUEST', {
    message: `${source} has a "request" that is none: a path is missing, or a field is not what it should be`,
    hint: 'write {"request": {"method": "POST", "path": "/…", "headers": {"name": "value"}, "body": …}}',
  })
}

function read(value: string | undefined, folder: string): { job: unknown; source: string } {
  const isText = value !== undefined && /^\s*[{["]/.test(value)
  const name = value || TEST_FILE
  const source = isText ? 'the value of --test-input' : name
  return { job: parseJson(isText ? value : readFile(resolve(folder, name), name), source), source }
}

function noJob(source: string): AppError {
  return new AppError('BAD_REQUEST', {
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
      hint: `${testWays}; for a route '{"request":{"path":"/…"}}'`,
    })
  }
}

function isJob(value: unknown): value is TestJob {
  return isRecord(value) && Object.hasOwn(value, 'input')
}

function isRequest(value: unknown): value is TestRequest {
  if (!isRecord(value)) return false
  const { method = '', path, headers = {} } = value
  const isTexts = isRecord(headers) && Object.values(headers).every((one) => typeof one === 'string')
  return isTexts && typeof method === 'string' && typeof path === 'string' && path.startsWith('/')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
