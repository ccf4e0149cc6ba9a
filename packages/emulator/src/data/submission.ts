import { AppError } from '@flash/protocol'
import { isRecord } from '../http/json.ts'
import { parsePolicy, type Submission } from '../queue/index.ts'

/**
 * The job of a request to `/run` or `/runsync`; what stands beside `input` goes along to the worker.
 *
 * - throws `BAD_REQUEST` naming the field.
 */
export function parseSubmission(body: unknown): Submission {
  if (!isRecord(body)) throw badRequest('the body is no JSON object', 'send {"input": {…}}')
  if (!Object.hasOwn(body, 'input')) throw badRequest('the field "input" is missing', 'send {"input": {…}}')
  const { input, ...extra } = body
  return {
    input,
    extra: Object.keys(extra).length > 0 ? extra : undefined,
    policy: parsePolicy(body.policy),
    webhook: parseWebhook(body.webhook),
  }
}

function parseWebhook(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)) return value
  throw badRequest(`webhook is ${JSON.stringify(value)}, it must be a URL`, 'give a URL with http or https')
}

export function badRequest(message: string, hint?: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint })
}
