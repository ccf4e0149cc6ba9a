import { RemoteError, RESULT_HEADER } from '@flash/protocol'

/** The same answer without the mark by which it was known as one of a worker; one object may be the answer to several calls. */
export function withoutMark(response: Response, body = response.body): Response {
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  headers.delete(RESULT_HEADER)
  return new Response(body, { status, statusText, headers })
}

/** Something answers in place of the worker that has the route. */
export function notOfWorker({ status, body }: Response): RemoteError {
  void body?.cancel().catch(() => {})
  return new RemoteError(
    'TRANSPORT',
    `the answer is not of the worker that has the route: status ${status}`,
    {
      hint: 'something else answers at its address: a proxy, a sign-in page, another server, or a worker of an older build',
      data: { status },
    },
  )
}
