import type { IncomingMessage } from 'node:http'
import { AppError } from '@flash/protocol'

/** The caller went away before all of its body had come; there is nobody to answer. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

/**
 * Reads a body whole.
 *
 * - throws `PAYLOAD_TOO_LARGE` as soon as it is over the limit, with both sizes, and `ClientGone`.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limitBytes) return Promise.reject(tooLarge(`${declared} bytes`, limitBytes))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (end: () => void) => {
      request.removeAllListeners('data')
      request.off('close', onClose)
      end()
    }
    const onClose = () => settle(() => reject(new ClientGone('the connection ended inside the body')))
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) return void chunks.push(chunk)
      // The rest is read and dropped, so that the caller gets to the answer.
      settle(() => reject(tooLarge(`more than ${limitBytes} bytes`, limitBytes)))
      request.resume()
    })
    request.once('end', () => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))))
    request.once('close', onClose)
    // Each error is followed by a close.
    request.on('error', () => {})
  })
}

function tooLarge(size: string, limitBytes: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body has ${size}, the limit is ${limitBytes}`,
    hint: 'send less, or send a reference to it',
  })
}
