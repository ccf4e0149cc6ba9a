import { createServer, type IncomingHttpHeaders, type RequestListener, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createMessageReader,
  encodeMessage,
  FrameType,
  type Message,
  type ServerFacts,
  type ServerFunction,
} from '@flash/protocol'
import { toNodeHandler } from 'srvx/node'
import type { RpcBackend, RpcJob } from '../backend.ts'
import { createCapability } from '../capability.ts'
import type { CallEnvelope } from '../envelope.ts'
import type { FlashHandler } from '../handler.ts'

export const key = new Uint8Array(32).fill(3)

const { tag } = createCapability(key)

export const refOf = (id: string) => `${id}.${tag(id)}`

function fact(id: string, exportPath: string, methods?: string[]): ServerFunction {
  const callable = (name: string) => ({ name, kind: 'function' as const, params: [] })
  return {
    id,
    endpoint: 'ocr',
    exportPath,
    kind: methods ? 'class' : 'function',
    callables: (methods ?? [exportPath]).map(callable),
    constructorParams: methods ? [] : null,
    hasInput: false,
    setup: null,
  }
}

export const facts: ServerFacts = {
  app: 'shop',
  prefix: '/_flash',
  functions: [fact('read', 'read'), fact('model', 'Model', ['load', 'scan'])],
}

export function json(type: number, value?: unknown): Message {
  return { type, rich: false, text: value === undefined ? '' : JSON.stringify(value), parts: [] }
}

/** A backend whose jobs say at once what the test gave them, and remember what was asked of them. */
export function createFakeBackend(words: Message[] = [json(FrameType.value, 42)]) {
  const submitted: { id: string; call: CallEnvelope }[] = []
  const cancelled: string[] = []
  const job = (endpoint: string, id: string): RpcJob => ({
    id,
    endpoint,
    deadline: Date.now() + 600_000,
    listen(from, say) {
      let items = 0
      for (const word of words) if (word.type !== FrameType.item || items++ >= from) say(word)
      return () => {}
    },
    status: () => ({ id, status: 'IN_PROGRESS', delayTime: 3, workerId: 'worker-7' }) as never,
    cancel: () => void cancelled.push(id),
  })
  const backend: RpcBackend = {
    find: async (id) => ({ endpoint: id === 'gone' ? '' : 'ocr', maxBodyBytes: 1_000_000 }),
    submit: async (id, call) => {
      submitted.push({ id, call })
      return job('ocr', `job-${submitted.length}`)
    },
    warm: async () => {},
    fetch: async () => new Response('fetched'),
    job: (endpoint, id) => (/^job-\d$/.test(id) ? job(endpoint, id) : null),
    jobById: () => null,
  }
  return { backend, submitted, cancelled }
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
  code: string | undefined
  /** Of an accepted call. */
  messages: Message[]
}

export interface Sent {
  method?: string
  headers?: Record<string, string | undefined>
  body?: Uint8Array
}

const wire = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }

export const callBody = (value: unknown) => encodeMessage(json(FrameType.call, value))

/** A handler behind a real server on 127.0.0.1. */
export async function serve(handler: FlashHandler) {
  const server = createServer(toNodeHandler(handler) as RequestListener)
  server.on('upgrade', (request, socket, head) => {
    handler.upgrade(request, socket, head)
    if (!/^\/_flash(?:[/?]|$)/.test(request.url!)) socket.end('left to others')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  const ask = (path: string, { method = 'GET', headers = {}, body }: Sent = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
      const request = send({ port, host: '127.0.0.1', path, method, headers: given as never }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve(toAnswer(response.statusCode!, response.headers, Buffer.concat(chunks))),
        )
      })
      request.on('error', reject)
      request.end(body)
    })
  return {
    port,
    host,
    ask,
    /** What a stub on a page of this server sends; `undefined` takes a header away. */
    post: (path: string, value: unknown, { headers, body, ...rest }: Sent = {}) =>
      ask(`/_flash/rpc/${path}`, {
        method: 'POST',
        body: body ?? callBody(value),
        headers: { ...wire, 'sec-fetch-site': 'same-origin', ...headers },
        ...rest,
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function toAnswer(status: number, headers: IncomingHttpHeaders, body: Buffer): Answer {
  const text = body.toString()
  const isProblem = headers['content-type'] === 'application/problem+json'
  return {
    status,
    headers,
    body,
    text,
    code: isProblem ? JSON.parse(text).code : undefined,
    messages: status === 200 && headers['x-flash'] ? toMessages(body) : [],
  }
}

function toMessages(body: Buffer): Message[] {
  const messages: Message[] = []
  const reader = createMessageReader((message) => messages.push(message))
  reader.push(body)
  reader.end()
  return messages
}

export const typesOf = ({ messages }: Answer) =>
  messages.map(({ type }) => Object.entries(FrameType).find(([, value]) => value === type)![0])

/** The token of a job, from the answer that accepted it. */
export const tokenOf = ({ messages }: Answer): string => JSON.parse(messages[0]!.text).token
