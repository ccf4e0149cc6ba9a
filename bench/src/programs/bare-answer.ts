import type { IncomingMessage, ServerResponse } from 'node:http'
import { price } from '../work.ts'
import { createPayload, describeBytes } from '../payload.ts'
import { tellParent } from './parent.ts'

const payload = createPayload()

/** What a person would write on node:http alone for the same work. */
export async function answerBare(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const answer = (type: string, bytes: string | Uint8Array) => {
    response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(bytes) })
    response.end(bytes)
  }
  switch (request.url) {
    case '/bare/order':
      return answer('application/json', JSON.stringify(price(JSON.parse(body.toString()))))
    case '/bare/up':
      return answer('text/plain', describeBytes(body))
    case '/bare/down':
      return answer('application/octet-stream', payload)
    case '/bare/report':
      tellParent('said', JSON.parse(body.toString()))
      return answer('text/plain', 'thanks')
    default:
      response.writeHead(404).end()
  }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', reject)
  })
}
