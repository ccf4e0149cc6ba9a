import type { IncomingMessage } from 'node:http'

/** A request that came through a Node server. */
type NodeBacked = Request & { runtime?: { node?: { req?: IncomingMessage } } }

/** The Node request behind a web request, where there is one. */
export function incomingOf(request: Request): IncomingMessage | undefined {
  return (request as NodeBacked).runtime?.node?.req
}

/** Whether nobody is there any more who could hear the answer. */
export function isGone(request: Request): boolean {
  return request.signal.aborted || incomingOf(request)?.socket.destroyed === true
}
