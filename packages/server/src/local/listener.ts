import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '@flash/protocol'
import { FastResponse, toNodeHandler } from 'srvx/node'
import { problemBody, problemHeaders, toProblem } from '../problem.ts'
import type { RpcHandler } from '../rpc.ts'
import { hasToken } from './token.ts'

export interface Listener {
  url: string
  close(): Promise<void>
}

export interface ListenerOptions {
  token: string
  /** Where a caller finds the token, in words. */
  tokenPlace: string
}

/**
 * The address of a runtime on this machine: 127.0.0.1, a free port, plain http, the token on every request.
 * It carries what is not for the browser: calls from server code and from workers.
 */
export async function openListener(
  rpc: RpcHandler,
  { token, tokenPlace }: ListenerOptions,
): Promise<Listener> {
  const handler = toNodeHandler(async (request: Request) => {
    if (!hasToken(request.headers, token))
      return refuse(
        new AppError('UNAUTHORIZED', {
          message: 'the session token is missing or wrong',
          hint: `it is in ${tokenPlace}`,
        }),
      )
    const path = /^\/rpc\/([^/]+)$/.exec(new URL(request.url).pathname)?.[1]
    if (!path)
      return refuse(
        new AppError('NOT_FOUND', {
          message: `nothing answers at ${new URL(request.url).pathname}`,
          hint: 'calls go to /rpc/<function id>',
        }),
      )
    return rpc(request, path, { kind: 'server', subject: null })
  })
  const server = createServer(handler as RequestListener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // The app's own server decides how long the process lives.
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function refuse(error: AppError): Response {
  const problem = toProblem(error)
  return new FastResponse(problemBody(problem), { status: problem.status, headers: problemHeaders })
}
