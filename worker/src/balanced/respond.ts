import type { ServerResponse } from 'node:http'
import { AppError, errorCodes } from '@flash/protocol'

/** Sends an answer as it comes, no faster than it is taken; resolves at its end, or when nobody takes it any more. */
export async function respond(outgoing: ServerResponse, response: Response): Promise<void> {
  const { status, statusText, headers, body } = response
  if (outgoing.destroyed) return void body?.cancel().catch(() => {})
  outgoing.statusCode = status
  if (statusText) outgoing.statusMessage = statusText
  for (const [name, value] of headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  if (!body || outgoing.req.method === 'HEAD') {
    body?.cancel().catch(() => {})
    return end(outgoing)
  }
  outgoing.flushHeaders()
  await pump(body, outgoing)
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
    await end(outgoing)
  } finally {
    outgoing.off('close', leave)
  }
}

/** Resolves when everything is handed over to the network, or nobody takes it. */
function end(outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    outgoing.on('finish', resolve).on('close', resolve).end()
  })
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
