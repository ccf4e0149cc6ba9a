import { AppError, errorCodes } from '@flash/protocol'

export function toJson(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}

export const noContent = () => new Response(null, { status: 204 })

/** A list with what newer clients look at for more of it; everything is on the first page. */
export function toList(name: string, entries: unknown[]): Response {
  return toJson({ [name]: entries, pagination: { hasNextPage: false, nextCursor: null } })
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
}

/** A refusal as RFC 9457 has it. */
export function toProblem(
  status: number,
  detail: string,
  { errors, headers = {} }: { errors?: string[]; headers?: Record<string, string> } = {},
): Response {
  const title = titles[status] ?? 'Error'
  return new Response(JSON.stringify({ title, status, detail, ...(errors && { errors }) }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })
}

/** The answer for what a route threw; what is no error of the caller's is thrown on. */
export function toRefusal(error: unknown): Response {
  if (!(error instanceof AppError)) throw error
  const { issues } = (error.data ?? {}) as { issues?: string[] }
  const detail = issues && issues.length > 1 ? 'Request validation failed.' : error.message
  return toProblem(errorCodes[error.code].status, detail, { errors: issues })
}
