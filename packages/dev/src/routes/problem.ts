import type { ServerResponse } from 'node:http'
import { type Answer, send } from '@flash/emulator'
import { AppError } from '@flash/protocol'
import { problemBody, problemHeaders, toProblem } from '@flash/server'

/** Told about errors that are no caller's. */
export type OnInternal = (error: unknown) => void

/** The answer for every error of the routes: problem JSON with the code's status. */
export function errorAnswer(error: unknown, onInternal: OnInternal): Required<Answer> {
  const known = toKnown(error)
  if (!known) onInternal(error)
  return problemAnswer(known ?? internalError)
}

export function problemAnswer(error: AppError): Required<Answer> {
  const problem = toProblem(error)
  return { status: problem.status, body: problemBody(problem), headers: problemHeaders }
}

/** The same for a handler of web requests. */
export function errorResponse(error: unknown, onInternal: OnInternal): Response {
  const { body, ...head } = errorAnswer(error, onInternal)
  return new Response(body, head)
}

/** The same on a response of Node's. */
export function refuse(response: ServerResponse, error: unknown, onInternal: OnInternal): void {
  send(response, errorAnswer(error, onInternal))
}

const internalError = new AppError('INTERNAL', {
  message: 'the request could not be handled',
  hint: 'the terminal of the dev server has the details',
})

/** Ours, also where h3 wrapped it, and what h3 itself says of a request it cannot read. */
function toKnown(error: unknown): AppError | null {
  const { cause, status, message } = error as Error & { status?: number }
  const ours = [error, cause].find((one) => one instanceof AppError)
  if (ours) return ours
  return status === 400 || status === 404
    ? new AppError('BAD_REQUEST', { message: `the address cannot be read: ${message}` })
    : null
}
