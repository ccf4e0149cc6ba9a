import type { BundleInfo } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import { createBundleAnswer } from './bundle-answer.ts'
import type { TestRequest } from './test-job.ts'

/** A line for stdout, and the code that the process ends with. */
export interface Printed {
  json: string
  code: number
}

const ALIVE_MS = 1_000

/** Answers a request with a worker of its own, which is closed after it. */
export async function answerOnce(
  info: BundleInfo,
  functions: Functions,
  asked: TestRequest,
  say: (text: string) => void,
): Promise<Printed> {
  const worker = createWorker({ endpoint: info.endpoint, write: (_, text) => say(text) })
  const unset = setCurrentWorker(worker)
  // A handler may wait for something that keeps no process alive.
  const alive = setInterval(() => {}, ALIVE_MS)
  const { answer } = createBundleAnswer(info, functions, worker)
  try {
    const response = await answer.fetch(toRequest(asked))
    const { status } = response
    const body = await readBody(response)
    const headers = Object.fromEntries(response.headers)
    return { json: JSON.stringify({ status, headers, body }), code: status >= 400 ? 1 : 0 }
  } finally {
    clearInterval(alive)
    await answer.close()
    await worker.close()
    unset()
  }
}

function toRequest({ path, method, headers, body }: TestRequest): Request {
  const sent = new Headers(headers)
  const isText = typeof body === 'string'
  if (body !== undefined && !sent.has('content-type'))
    sent.set('content-type', isText ? 'text/plain' : 'application/json')
  return new Request(`http://localhost${path}`, {
    method: method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'),
    headers: sent,
    body: isText || body === undefined ? (body as string | undefined) : JSON.stringify(body),
  })
}

async function readBody(response: Response): Promise<unknown> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get('content-type') ?? ''
  if (bytes.length === 0) return null
  if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return JSON.parse(bytes.toString())
  return isText(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
