import type { ServerResponse } from 'node:http'
import { AppError, errorCodes } from '@flash/protocol'
import { findCodings } from '@flash/runtime/server'
import { PlainReply, type Reply } from './visit.ts'

/** These are of one connection only, and would say of this one what was true of another. */
const ofConnections = ['keep-alive', 'proxy-connection', 'trailer', 'transfer-encoding', 'upgrade']

/**
 * Sends an answer as it comes, no faster than it is taken; resolves when all of it is on its way, or when nobody takes it any more.
 *
 * - rejects with what its body throws, and for a body that is not as long as its `content-length`: what is more would be
 *   taken for the next answer of the connection.
 */
export function respond(outgoing: ServerResponse, reply: Reply): Promise<void> | undefined {
  if (!(reply instanceof PlainReply)) return pass(outgoing, reply)
  if (!outgoing.destroyed) write(outgoing, reply)
  return undefined
}

/** Of an answer that nobody takes. */
export function drop(reply: Reply): void {
  if (!(reply instanceof PlainReply)) void reply.body?.cancel().catch(() => {})
}

function write(outgoing: ServerResponse, { status, headers, body }: PlainReply): void {
  if (body === null) outgoing.writeHead(status, headers)
  else outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  outgoing.end(body)
}

async function pass(outgoing: ServerResponse, response: Response): Promise<void> {
  const { status, statusText, headers, body } = response
  if (outgoing.destroyed) return drop(response)
  outgoing.strictContentLength = true
  outgoing.statusCode = status
  if (statusText) outgoing.statusMessage = statusText
  for (const [name, value] of headersToSend(response))
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  if (!body || outgoing.req.method === 'HEAD') {
    drop(response)
    return void outgoing.end()
  }
  outgoing.flushHeaders()
  await pump(body, outgoing)
}

/** The headers of an answer as they are true here, whoever gave it. */
export function headersToSend({ url, status, headers }: Response): Headers {
  const sent = new Headers(headers)
  for (const name of ofConnections) sent.delete(name)
  // Whoever passes on what another server said: the body is plain by now, and longer.
  const isDecoded = url !== '' && findCodings(headers).length > 0
  if (isDecoded) sent.delete('content-encoding')
  if (isDecoded || status === 204) sent.delete('content-length')
  return sent
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader()
  const leave = () => void reader.cancel(new Error('the client is gone')).catch(() => {})
  outgoing.once('close', leave)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || outgoing.destroyed) break
      if (!outgoing.write(value)) await untilDrained(outgoing)
    }
    if (!outgoing.destroyed) outgoing.end()
  } finally {
    outgoing.off('close', leave)
    // Of no effect at its end; else whoever makes the rest has to hear that nobody takes it.
    leave()
  }
}

function untilDrained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
  })
}

/** An error of ours with its status, any other as 500 without what is in it. */
export function toErrorResponse(error: unknown): Response {
  const known = error instanceof AppError
  const code = known ? error.code : 'INTERNAL'
  const message = known ? error.message : 'the worker failed at the request; its log says why'
  return Response.json(
    { error: message, code, hint: known ? error.hint : undefined },
    {
      status: errorCodes[code].status,
      headers: { 'cache-control': 'no-store' },
    },
  )
}
