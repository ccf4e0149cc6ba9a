import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createMessageReader,
  decodeValue,
  encodeMessage,
  encodeValue,
  FrameType,
  type Message,
  type WireError,
} from '@flash/protocol'

/** One request to a scripted server, and the ways to answer it. */
export interface Exchange {
  /** What follows `/rpc/`. */
  route: string
  request: IncomingMessage
  response: ServerResponse
  /** What the call message carried. */
  value: any
  /** Resolves when the caller has gone before the answer was complete. */
  gone: Promise<void>
  /** Begins an answer with the marker. */
  accept(token?: unknown): void
  /** Adds a message; rich values travel as such. */
  say(type: keyof typeof FrameType, value?: unknown): Promise<void>
  /** The head of an answer of a load-balanced endpoint. */
  head(status: number, headers?: Record<string, string>): Promise<void>
  /** A piece of its body. */
  chunk(piece: Uint8Array | string): void
  /** The end of it. */
  endBody(): void
  /** Adds bytes as they are. */
  write(bytes: Uint8Array | string): void
  /** Ends the answer, with a result when one is given. */
  end(...result: [value?: unknown]): Promise<void>
  fail(error: WireError): Promise<void>
  /** Cuts the connection. */
  cut(): void
  /** Answers before the call is accepted. */
  refuse(status: number, problem: object): void
  /** Answers as something else than our route would. */
  foreign(status: number, body: string, type?: string): void
}

export interface ScriptedServer {
  url: string
  /** Every request so far. */
  exchanges: Exchange[]
  /** Sockets that were opened. */
  connections(): number
  routes(): string[]
  close(): Promise<void>
}

/** A real http server that speaks the frames and does to each request what the script says. */
export async function startScriptedServer(
  script: (exchange: Exchange, count: number) => unknown,
): Promise<ScriptedServer> {
  const exchanges: Exchange[] = []
  let connections = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', async () => {
      const exchange = createExchange(request, response, Buffer.concat(chunks))
      exchanges.push(exchange)
      await script(exchange, exchanges.length)
    })
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    connections: () => connections,
    routes: () => exchanges.map(({ route }) => route),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The one message of a request, decoded. */
export function readCall(body: Uint8Array): any {
  const messages: Message[] = []
  const reader = createMessageReader((message) => messages.push(message))
  reader.push(body)
  reader.end()
  const [message] = messages
  if (messages.length !== 1 || message!.type !== FrameType.call)
    throw new Error('the body is not one call message')
  // A request to a load-balanced endpoint: its body is beside its text.
  if (!message!.rich && message!.parts.length > 0)
    return { ...JSON.parse(message!.text), bytes: message!.parts[0] }
  return decodeValue(message!.rich, message!.text, message!.parts)
}

export async function frame(
  type: keyof typeof FrameType,
  ...value: [unknown?]
): Promise<Uint8Array<ArrayBuffer>> {
  const encoded =
    value.length === 0 ? { rich: false, text: '', parts: [] } : await encodeValue(value[0], 'out')
  return encodeMessage({ type: FrameType[type], ...encoded })
}

/** A `chunk` message. */
export function chunk(piece: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const part = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
  return encodeMessage({ type: FrameType.chunk, rich: false, text: '', parts: [part] })
}

function createExchange(request: IncomingMessage, response: ServerResponse, body: Buffer): Exchange {
  const accept = () => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' })
      response.flushHeaders()
    }
  }
  const exchange: Exchange = {
    ...waysToRefuse(response),
    route: request.url!.replace(/^.*\/rpc\//, ''),
    request,
    response,
    value: readCall(body),
    gone: new Promise((resolve) => {
      response.on('close', () => {
        if (!response.writableFinished) resolve()
      })
    }),
    accept(token) {
      accept()
      if (token === undefined) return
      response.write(
        encodeMessage({ type: FrameType.job, rich: false, text: JSON.stringify(token), parts: [] }),
      )
    },
    async say(type, ...value) {
      accept()
      response.write(await frame(type, ...value))
    },
    write(bytes) {
      accept()
      response.write(bytes)
    },
    async end(...result) {
      if (result.length > 0) await exchange.say('value', ...result)
      accept()
      response.end()
    },
    async fail(error) {
      await exchange.say('error', error)
      response.end()
    },
    ...waysToStream(response, () => exchange),
  }
  return exchange
}

function waysToStream(
  response: ServerResponse,
  exchange: () => Exchange,
): Pick<Exchange, 'head' | 'chunk' | 'endBody'> {
  return {
    head: (status, headers = {}) => exchange().say('head', { status, headers: Object.entries(headers) }),
    chunk: (piece) => exchange().write(chunk(piece)),
    endBody() {
      exchange().write(encodeMessage({ type: FrameType.end, rich: false, text: '', parts: [] }))
      response.end()
    },
  }
}

function waysToRefuse(response: ServerResponse): Pick<Exchange, 'cut' | 'refuse' | 'foreign'> {
  return {
    cut: () => response.socket?.destroy(),
    refuse(status, problem) {
      response.writeHead(status, { 'content-type': 'application/problem+json', 'x-flash': '1' })
      response.end(JSON.stringify(problem))
    },
    foreign(status, text, type = 'text/html') {
      response.writeHead(status, { 'content-type': type })
      response.end(text)
    },
  }
}
