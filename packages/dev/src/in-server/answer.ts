import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BalancedLimits, signalOf } from '@flash/emulator'
import { DEADLINE_HEADER, HOPS_HEADER } from '@flash/protocol'
import { MARKER, readBody, type ServerRoutes } from '@flash/server'
import { NodeRequest, sendNodeResponse } from 'srvx/node'
import type { Peer } from '../guard.ts'
import type { BalancedMatch } from '../routes/match.ts'
import { type OnInternal, refuse } from '../routes/problem.ts'

export interface InServerHost {
  serverRoutes: ServerRoutes
  limits: Pick<BalancedLimits, 'bytes'>
  onInternal: OnInternal
}

const marked = { [MARKER]: '1', 'cache-control': 'private, no-store' }

/** Answers a request by a route that runs in the app's own server, which is this one. */
export async function answerInServer(
  { serverRoutes, limits, onInternal }: InServerHost,
  { route, path }: BalancedMatch,
  { peer, request, response }: { peer: Peer; request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const signal = signalOf(response)
  try {
    const given = await toRequest({ path, peer, request, response, signal, bytes: limits.bytes })
    const answer = await serverRoutes.answer(route.fact.id, given)
    for (const [name, value] of Object.entries(marked)) response.setHeader(name, value)
    await sendNodeResponse(response as never, answer)
  } catch (error) {
    if (!signal.aborted) refuse(response, error, onInternal)
  }
}

interface Given {
  path: string
  peer: Peer
  request: IncomingMessage
  response: ServerResponse
  signal: AbortSignal
  bytes: number
}

async function toRequest({ path, peer, request, response, signal, bytes }: Given): Promise<Request> {
  const web = new NodeRequest({ req: request as never, res: response as never })
  const headers = new Headers(web.headers)
  // What workers are told of the calls before this one is nothing that a page could say.
  if (peer.kind === 'page') for (const name of [HOPS_HEADER, DEADLINE_HEADER]) headers.delete(name)
  // The token of this server is nobody else's business.
  headers.delete('authorization')
  const { method = 'GET' } = request
  const body = method === 'GET' || method === 'HEAD' ? null : await readBody(web, bytes)
  // A path such as `//x` would be an address of its own.
  const url = `${new URL(web.url).origin}${path}`
  return new Request(url, { method, headers, body: body as BodyInit | null, signal })
}
