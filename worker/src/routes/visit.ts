import { PlainReply, type Reply, type Visit } from '../balanced/visit.ts'

/** Of a request that somebody has made already. */
export function visitOf(given: Request): Visit {
  const { pathname, search } = new URL(given.url)
  let request = given
  let id: string | undefined
  return {
    method: given.method,
    pathname,
    search,
    target: pathname + search,
    signal: given.signal,
    get isOver() {
      return given.signal.aborted
    },
    get id() {
      return (id ??= crypto.randomUUID())
    },
    hasBody: given.body !== null,
    header: (name) => given.headers.get(name) ?? undefined,
    headers: () => given.headers,
    async read() {
      const bytes = new Uint8Array(await given.arrayBuffer())
      const init = { body: bytes }
      request = new Request(given, init)
      return bytes
    },
    request: () => request,
  }
}

export function toWebResponse(reply: Reply): Response {
  if (!(reply instanceof PlainReply)) return reply
  const { status, headers, body } = reply
  return new Response(body, { status, headers })
}
