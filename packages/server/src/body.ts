import type { IncomingMessage } from 'node:http'
import { AppError } from '@flash/protocol'
import { incomingOf } from './incoming.ts'

/**
 * The whole body, counted while it arrives.
 *
 * - throws `PAYLOAD_TOO_LARGE` with both sizes as soon as `limitBytes` is passed, whatever the declared length.
 */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  return Buffer.concat(await readChunks(request, limitBytes))
}

/** The same in the pieces that came, uncopied. */
export function readChunks(request: Request, limitBytes: number): Promise<Uint8Array[]> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > limitBytes) return Promise.reject(tooLarge(declared, limitBytes))
  // A Node request can be read without a web stream in between.
  const incoming = incomingOf(request)
  return incoming && !incoming.readableEnded
    ? readIncoming(incoming, limitBytes)
    : readStream(request, limitBytes)
}

function readIncoming(incoming: IncomingMessage, limitBytes: number): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    // Of a connection that closed while the call was judged, nothing is heard any more.
    if (incoming.destroyed) return reject(brokenBody())
    const chunks: Buffer[] = []
    let size = 0
    const fail = (error: Error) => {
      incoming.off('data', onData)
      // What is still coming is read and dropped, so that the answer can be sent on this connection.
      incoming.resume()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limitBytes) fail(tooLarge(size, limitBytes))
      else chunks.push(chunk)
    }
    incoming.on('data', onData)
    incoming.on('end', () => resolve(chunks))
    incoming.on('error', (error) => fail(brokenBody(error)))
    incoming.on('close', () => {
      if (!incoming.complete) fail(brokenBody())
    })
  })
}

async function readStream(request: Request, limitBytes: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > limitBytes) throw tooLarge(size, limitBytes)
    chunks.push(chunk)
  }
  return chunks
}

function tooLarge(size: number, limit: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body has ${size} bytes or more, ${limit} are allowed`,
    hint: 'send less in one call, or raise the option maxBodyBytes',
    data: { size, limit },
  })
}

function brokenBody(cause?: Error): AppError {
  const how = cause ? `broke (${cause.message})` : 'closed'
  return new AppError('BAD_REQUEST', {
    message: `the connection ${how} before the whole body had arrived`,
    cause,
  })
}
