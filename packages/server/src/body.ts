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
export async function readChunks(request: Request, limitBytes: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  await readEach(request, limitBytes, (chunk) => void chunks.push(chunk))
  return chunks
}

/** Takes a piece of a body; while it works on one, no further ones are read. What it throws ends the reading. */
type TakeChunk = (chunk: Uint8Array) => void | Promise<void>

/** The same, one after the other. What comes after a failure is dropped, so that an answer can still be sent. */
export function readEach(request: Request, limitBytes: number, take: TakeChunk): Promise<void> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > limitBytes) return Promise.reject(tooLarge(declared, limitBytes))
  let size = 0
  const takeCounted: TakeChunk = (chunk) => {
    size += chunk.length
    if (size > limitBytes) throw tooLarge(size, limitBytes)
    return take(chunk)
  }
  // A Node request can be read without a web stream in between.
  const incoming = incomingOf(request)
  return incoming && !incoming.readableEnded
    ? readIncoming(incoming, takeCounted)
    : readStream(request, takeCounted)
}

function readIncoming(incoming: IncomingMessage, take: TakeChunk): Promise<void> {
  return new Promise((resolve, reject) => {
    // Of a connection that closed while the call was judged, nothing is heard any more.
    if (incoming.destroyed) return reject(brokenBody())
    let isFailed = false
    let isEnded = false
    let taken: Promise<void> | undefined
    const fail = (error: unknown) => {
      isFailed = true
      incoming.off('data', onData)
      // What is still coming is read and dropped, so that the answer can be sent on this connection.
      incoming.resume()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      try {
        const taking = take(chunk)
        if (!taking) return
        incoming.pause()
        taken = taking.then(() => void (isFailed || incoming.resume()))
        taken.catch(fail)
      } catch (error) {
        fail(error)
      }
    }
    incoming.on('data', onData)
    // The end of what had arrived before anybody listened comes in spite of a pause.
    incoming.on('end', () => {
      isEnded = true
      Promise.resolve(taken).then(resolve, fail)
    })
    incoming.on('error', (error) => fail(brokenBody(error)))
    // Also when everything was received, and not read yet.
    incoming.on('close', () => isEnded || fail(brokenBody()))
  })
}

async function readStream(request: Request, take: TakeChunk): Promise<void> {
  for await (const chunk of request.body ?? []) await take(chunk)
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
