import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import { FastResponse, toNodeHandler } from 'srvx/node'
import { problemBody, problemHeaders, toProblem } from '../problem.ts'
import type { RpcCaller } from '../envelope.ts'
import type { RpcHandler } from '../rpc.ts'
import type { RpcUpgrade, UpgradeConnection } from '../rpc/upgrade.ts'
import { refuseUpgrade, toUpgradeRequest } from '../upgrade.ts'
import { hasToken } from './token.ts'

export interface Listener {
  url: string
  close(): Promise<void>
}

export interface ListenerOptions {
  token: string
  /** Where a caller finds the token, in words. */
  tokenPlace: string
  rpc: RpcHandler
  upgrade: RpcUpgrade
  /** Tells where endpoints with images are; nothing does when omitted. */
  images?(request: Request): Promise<Response>
}

/** Where server code asks for an endpoint with an image. */
export const IMAGES_PATH = '/images'

/** Whoever shows the token. */
const caller: RpcCaller = { kind: 'server', subject: null }

/**
 * The address of a runtime on this machine: 127.0.0.1, a free port, plain http, the token on every request.
 * It carries what is not for the browser: calls from server code and from workers.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const handler = toNodeHandler(async (request: Request) => {
    try {
      checkToken(request, options)
      const { pathname } = new URL(request.url)
      if (pathname === IMAGES_PATH && options.images) return await options.images(request)
      return await options.rpc(request, toRpcPath(pathname), caller)
    } catch (error) {
      return refuse(error as AppError)
    }
  })
  const server = createServer(handler as RequestListener)
  const sockets = new Set<Duplex>()
  server.on('upgrade', (incoming, socket, head) => {
    // Whoever asked may be gone already.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    sockets.add(socket)
    void upgrade(options, { incoming, socket, head })
  })
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
        for (const socket of sockets) socket.destroy()
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function upgrade(options: ListenerOptions, connection: UpgradeConnection): Promise<void> {
  try {
    const request = toUpgradeRequest(connection.incoming)
    if (!request) throw new AppError('BAD_REQUEST', { message: 'the header Host names no host' })
    checkToken(request, options)
    await options.upgrade(request, toRpcPath(new URL(request.url).pathname), caller, connection)
  } catch (error) {
    await refuseUpgrade(connection.socket, refuse(error as AppError))
  }
}

/** Throws `UNAUTHORIZED`. */
function checkToken({ headers }: Request, { token, tokenPlace }: ListenerOptions): void {
  if (hasToken(headers, token)) return
  throw new AppError('UNAUTHORIZED', {
    message: 'the session token is missing or wrong',
    hint: `it is in ${tokenPlace}`,
  })
}

/** What is asked for; throws `NOT_FOUND`. */
function toRpcPath(pathname: string): string {
  const path = /^\/rpc\/([^/]+)$/.exec(pathname)?.[1]
  if (path !== undefined) return path
  throw new AppError('NOT_FOUND', {
    message: `nothing answers at ${pathname}`,
    hint: 'calls go to /rpc/<function id>',
  })
}

function refuse(error: AppError): Response {
  const problem = toProblem(error)
  return new FastResponse(problemBody(problem), { status: problem.status, headers: problemHeaders })
}
