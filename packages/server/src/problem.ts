import { AppError, errorCodes, type ErrorCode } from '@flash/protocol'

/** Tells an answer of ours from one that a proxy or another server gave. */
export const MARKER = 'x-flash'

/**
 * Of frames. They answer a POST, which nobody keeps without being told to; of what must not be stored, Chromium says that it
 * was aborted when a script has read it as a stream, to its end.
 */
export const answerHeaders = {
  'content-type': 'application/x-flash; v=1',
  'cache-control': 'private, no-cache',
  [MARKER]: '1',
}

export interface Problem {
  status: number
  code: ErrorCode
  message: string
  hint?: string
  data?: unknown
  at?: AppError['at']
  frame?: string
}

/** What an error looks like in an answer; the status is that of its code. */
export function toProblem(error: AppError): Problem {
  const { code, message, hint, data, at, frame } = error
  return { status: errorCodes[code].status, code, message, hint, data, at, frame }
}

export function problemBody(problem: Problem): string {
  return JSON.stringify({ type: 'about:blank', title: problem.code, ...problem })
}

export const problemHeaders = {
  'content-type': 'application/problem+json',
  'cache-control': 'private, no-store',
  [MARKER]: '1',
}

/** The answer to a request that was refused. */
export function problemResponse(error: AppError, ResponseClass: typeof Response): Response {
  const problem = toProblem(error)
  return new ResponseClass(problemBody(problem), { status: problem.status, headers: problemHeaders })
}
