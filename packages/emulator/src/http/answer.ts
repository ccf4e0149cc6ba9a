import type { ServerResponse } from 'node:http'
import { AppError, errorCodes } from '@flash/protocol'

/** What is written for a request; `body` is JSON text. */
export interface Answer {
  status: number
  body?: string
  headers?: Record<string, string>
}

export function toAnswer(value: unknown, status = 200): Answer {
  return { status, body: JSON.stringify(value) }
}

/** An error as Runpod writes it. */
export function refusal(status: number, error: string, headers?: Record<string, string>): Answer {
  return { status, body: JSON.stringify({ error }), headers }
}

export function notAllowed(methods: readonly string[]): Answer {
  return refusal(405, `method not allowed, use ${methods.join(' or ')}`, { allow: methods.join(', ') })
}

/** The answer for what a handler threw; `undefined` when it is no error of the caller's. */
export function refusalOf(error: unknown): Answer | undefined {
  if (!(error instanceof AppError)) return undefined
  const { status } = errorCodes[error.code]
  return status < 500 ? refusal(status, error.message) : undefined
}

export function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(answer.status, headersOf(answer))
  response.end(answer.body)
}

/** Says how long the body is, and ends in its middle. */
export function sendTruncated(response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body ?? '')
  response.writeHead(answer.status, headersOf(answer))
  response.write(body.subarray(0, body.length >> 1), () => response.destroy())
}

function headersOf({ status, body, headers }: Answer): Record<string, string | number> {
  if (body === undefined) return status === 204 ? { ...headers } : { 'content-length': 0, ...headers }
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
}
