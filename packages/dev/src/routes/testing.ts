import { createServer, type IncomingMessage, type RequestListener, request as open } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type BalancedLimits, type LocalSeat, resolveBalancedLimits } from '@flash/emulator'
import { AppError, type FunctionFact, type RouteFact, systemClock, TOKEN_HEADER } from '@flash/protocol'
import { createMiddleware, type AppOptions } from './app.ts'
import { createRouteTable } from './table.ts'
import { createUpgrade, type UpgradeOptions } from './upgrade.ts'

type Given = Partial<Pick<FunctionFact, 'kind' | 'exportPath'>>

function factOf(prefix: string, exportPath: string, more: Partial<FunctionFact>): FunctionFact {
  return {
    id: `${prefix}#${exportPath}`,
    prefix,
    exportPath,
    endpoint: `${prefix}-${exportPath.split('.')[0]}`,
    callables: [],
    setup: null,
    at: { file: `src/${prefix}.ts`, line: 3, column: 1 },
    ...more,
  } as unknown as FunctionFact
}

/** A route of the endpoint `api` of a file. */
export function routeFact(prefix: string, method: RouteFact['method'], path: string, api = 'api') {
  return factOf(prefix, `${api}.${method} ${path}`, { kind: 'route', route: { method, path, schemas: [] } })
}

export function webFact(prefix: string, name = 'site') {
  return factOf(prefix, name, { kind: 'web' })
}

export function functionFact(prefix: string, name: string, more: Given = {}) {
  return factOf(prefix, name, {
    kind: 'function',
    callables: [{ name, kind: 'function', params: [] }],
    ...more,
  })
}

export const WORKER_TOKEN = 'token-of-the-worker'

export interface RoutesOptions
  extends Partial<Pick<AppOptions, 'admit' | 'balanced' | 'rescan' | 'serverRoutes'>>,
    Partial<Pick<UpgradeOptions, 'rpcUpgrade' | 'allowedHosts'>> {
  facts: FunctionFact[]
  worker: RequestListener
  onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  limits?: Partial<BalancedLimits>
  isHttp2?: boolean
  /** How the worker ended. */
  lost?: Error | null
  /** How long a request may take, and what happens then. */
  time?: Partial<Pick<LocalSeat, 'limitMs' | 'expire'>>
}

/** A server of an app with the routes of these facts, and one worker behind it. */
export async function openRoutes({
  facts,
  worker: answer,
  onUpgrade,
  limits,
  lost,
  time,
  isHttp2,
  ...given
}: RoutesOptions) {
  const worker = await listen(createServer(answer))
  if (onUpgrade) worker.server.on('upgrade', onUpgrade)
  const errors: unknown[] = []
  const seats = { taken: 0, free: 0 }
  const seat: LocalSeat = {
    workerId: 'local-1',
    url: worker.url,
    headers: { [TOKEN_HEADER]: WORKER_TOKEN },
    release: () => void seats.free++,
    limitMs: 330_000,
    expire: (limitMs) => new AppError('TIMEOUT', { message: `over after ${limitMs} ms` }),
    lost: async () => lost ?? null,
    ...time,
  }
  const hosted: AppOptions & UpgradeOptions = {
    ...createHost(facts, seat, seats, errors),
    ...given,
    limits: resolveBalancedLimits(limits),
  }
  const middleware = createMiddleware(hosted)
  const pass: RequestListener = (request, response) =>
    middleware(request, response, () => response.writeHead(404, { 'x-from': 'vite' }).end())
  // Vite speaks HTTP/2 where it serves https.
  const app = await listen(isHttp2 ? createHttp2Server(pass as never) : createServer(pass))
  app.server.on('upgrade', createUpgrade(hosted))
  return {
    ...app,
    prefix: '/app/_flash',
    errors,
    seats,
    ask: (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
      ask(app.url, method, `/app/_flash${path}`, headers, body),
    async close() {
      await Promise.all([app.close(), worker.close()])
    },
  }
}

function createHost(facts: FunctionFact[], seat: LocalSeat, seats: { taken: number }, errors: unknown[]) {
  return {
    prefix: '/app/_flash',
    token: 'session-token',
    clock: systemClock,
    table: () => createRouteTable(facts),
    rescan: async () => false,
    rpc: async () => new Response('rpc'),
    onInternal: (error: unknown) => void errors.push(error),
    endpoint: () => Promise.reject(new Error('no queue here')),
    balanced: async ({ endpoint: name }: FunctionFact) => ({
      name,
      async seat() {
        seats.taken++
        return seat
      },
    }),
    document: async () => ({}) as never,
    allowedHosts: () => [],
  }
}

async function listen(server: NetServer) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Asks with the path as it is, which `fetch` would tidy up. */
function ask(url: string, method: string, path: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; text: string; json: any }>(
    (resolve, reject) => {
      const request = open(url, { method, path, headers, agent: false, maxHeaderSize: 100_000 }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            text,
            json: /json/.test(answer.headers['content-type'] ?? '') && text ? JSON.parse(text) : undefined,
          }),
        )
      })
      request.on('error', reject)
      request.end(body)
    },
  )
}
