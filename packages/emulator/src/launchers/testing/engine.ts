import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerCreateOptions, MountConfig } from 'dockerode'
import type { LaunchedWorker } from '../launcher.ts'
import { createProcessLauncher } from '../process.ts'

interface Container {
  Id: string
  Labels: Record<string, string>
  options: ContainerCreateOptions & { name: string }
  output?: ServerResponse
  worker?: LaunchedWorker
}

/** A Docker engine without containers: the part of its API that launchers use, with processes in their place. */
export interface ScriptedEngine {
  /** For `DOCKER_HOST`. */
  host: string
  /** Names of the images it has. */
  images: Set<string>
  /** Images of its registry, each with the error of its pull, or `null`. */
  registry: Map<string, string | null>
  /** Images whose pull goes on for ever, each with what tells it anew. */
  stalled: Map<string, () => void>
  /** Address of its bridge, or `null` without one. */
  gateway: string | null
  /** Whether it can limit the use of processors. */
  hasQuota: boolean
  /** Whether it can give containers the GPUs of its machine. */
  hasGpus: boolean
  containers: Map<string, Container>
  /** What containers were created with, the removed ones too. */
  created: Container['options'][]
  /** Requests as `POST /images/create?fromImage=…`, with the header that has the account of a registry. */
  requests: { line: string; auth?: string }[]
  /** The next request of a kind fails with this message. */
  failures: Map<RegExp, string>
  close(): Promise<void>
}

type Handler = (engine: ScriptedEngine, visit: Visit) => unknown

interface Visit {
  match: string[]
  query: URLSearchParams
  body: Buffer
  response: ServerResponse
}

const launcher = createProcessLauncher()

const routes: [RegExp, Handler][] = [
  [/^GET \/_ping$/, () => 'OK'],
  [
    /^GET \/info$/,
    ({ hasQuota, hasGpus }) => ({
      NCPU: 2,
      CpuCfsQuota: hasQuota,
      Runtimes: hasGpus ? { nvidia: {} } : undefined,
    }),
  ],
  [/^GET \/networks\/bridge$/, ({ gateway }) => gateway && { IPAM: { Config: [toConfig(gateway)] } }],
  [/^GET \/images\/(.+)\/json$/, ({ images }, { match }) => (images.has(match[1]!) ? {} : null)],
  [/^POST \/images\/create$/, createImage],
  [/^POST \/containers\/create$/, createContainer],
  [
    /^GET \/containers\/json$/,
    ({ containers }) => [...containers.values()].map(({ Id, Labels }) => ({ Id, Labels })),
  ],
  [/^POST \/containers\/(\w+)\/attach$/, attach],
  [/^POST \/containers\/(\w+)\/start$/, startContainer],
  [
    /^POST \/containers\/(\w+)\/wait$/,
    async ({ containers }, { match }) => toCode(containers.get(match[1]!)!),
  ],
  [/^GET \/containers\/(\w+)\/json$/, inspect],
  [/^POST \/containers\/(\w+)\/kill$/, kill],
  [/^DELETE \/containers\/(\w+)$/, remove],
]

export async function createScriptedEngine(): Promise<ScriptedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'flash-engine-'))
  const server = createServer((request, response) => void answer(engine, request, response))
  const path = join(folder, 'engine.sock')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const engine: ScriptedEngine = {
    host: `unix://${path}`,
    images: new Set(),
    registry: new Map(),
    stalled: new Map(),
    gateway: '127.0.0.1',
    hasQuota: true,
    hasGpus: false,
    containers: new Map(),
    created: [],
    requests: [],
    failures: new Map(),
    async close() {
      await launcher.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return engine
}

async function answer(engine: ScriptedEngine, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url!, 'http://engine')
  const line = `${request.method} ${decodeURIComponent(url.pathname)}`
  engine.requests.push({ line: line + url.search, auth: request.headers['x-registry-auth'] as string })
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const failure = [...engine.failures].find(([pattern]) => pattern.test(line))
  if (failure) {
    engine.failures.delete(failure[0])
    return send(response, 500, { message: failure[1] })
  }
  const [pattern, handle] = routes.find(([pattern]) => pattern.test(line))!
  const visit = {
    match: [...pattern.exec(line)!],
    query: url.searchParams,
    body: Buffer.concat(chunks),
    response,
  }
  const value = await handle(engine, visit)
  if (value === null) send(response, 404, { message: 'no such thing' })
  else if (value !== undefined) send(response, 200, value)
}

function send(response: ServerResponse, status: number, value: unknown) {
  response.statusCode = status
  response.setHeader('content-type', 'application/json')
  response.end(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Some engines tell the network only. */
function toConfig(gateway: string) {
  return gateway.endsWith('.1') && gateway !== '127.0.0.1'
    ? { Subnet: gateway.replace(/\d+$/, '0/24') }
    : { Subnet: '127.0.0.0/8', Gateway: gateway }
}

function createImage(engine: ScriptedEngine, { query, response }: Visit) {
  const name = `${query.get('fromImage') ?? query.get('repo')}:${query.get('tag')}`
  if (engine.stalled.has(name)) {
    const tell = () => void response.write(`${JSON.stringify({ id: 'a1b2', status: 'Downloading' })}\n`)
    engine.stalled.set(name, tell)
    return tell()
  }
  const error = query.has('fromSrc')
    ? null
    : (engine.registry.get(name) ?? (engine.registry.has(name) ? null : 'not found'))
  if (error !== null)
    return `${JSON.stringify({ status: 'Pulling' })}\n${JSON.stringify({ error, errorDetail: { message: error } })}\n`
  engine.images.add(name)
  const events = ['Pulling fs layer', 'Downloading', 'Downloading', 'Pull complete'].map((status) => ({
    id: 'a1b2',
    status,
  }))
  return [...events, { status: 'Downloaded newer image' }]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('')
}

function createContainer(engine: ScriptedEngine, { query, body }: Visit) {
  const options = { ...(JSON.parse(String(body)) as ContainerCreateOptions), name: query.get('name')! }
  if (!engine.images.has(options.Image!)) return null
  const Id = `c${engine.created.push(options)}`
  engine.containers.set(Id, { Id, Labels: options.Labels!, options })
  return { Id }
}

function attach({ containers }: ScriptedEngine, { match, response }: Visit) {
  const container = containers.get(match[1]!)!
  container.output = response
  response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' })
  response.flushHeaders()
}

function startContainer({ containers }: ScriptedEngine, { match, response }: Visit) {
  const { options, ...container } = containers.get(match[1]!)!
  const worker = launcher.start({
    endpointId: 'e',
    endpoint: 'e',
    workerId: match[1]!,
    image: options.Image!,
    limits: {},
    kind: Object.keys(options.ExposedPorts ?? {}).length > 0 ? 'balanced' : 'queue',
    args: (options.Cmd ?? []).map((word) => JSON.stringify(word)).join(' '),
    env: Object.fromEntries(
      options.Env!.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    ),
    mounts: (options.HostConfig!.Mounts as MountConfig).map(({ Source, Target }) => ({
      source: Source!,
      target: Target,
    })),
  })
  worker.onLine(({ source, text }) => {
    if (source === 'container' || text.startsWith('cannot start'))
      container.output!.write(toFrame(`${text}\n`))
  })
  void worker.exited.then(() => container.output!.end())
  containers.set(match[1]!, { ...container, options, worker })
  response.writeHead(204).end()
}

function toFrame(text: string): Buffer {
  const bytes = Buffer.from(text)
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

async function toCode({ worker }: Container) {
  const { code, signal } = await worker!.exited
  return { StatusCode: signal ? 128 + constants.signals[signal as NodeJS.Signals] : (code ?? 127) }
}

async function inspect({ containers }: ScriptedEngine, { match }: Visit) {
  const { worker, options } = containers.get(match[1]!)!
  const address = await worker!.address.catch(() => null)
  const [port] = Object.keys(options.ExposedPorts ?? {})
  const isHungry = options.Env!.includes('HUNGRY=1')
  return {
    State: { OOMKilled: isHungry, Error: '' },
    NetworkSettings: { Ports: port && address ? { [port]: [{ HostPort: new URL(address).port }] } : {} },
  }
}

function kill({ containers }: ScriptedEngine, { match, query, response }: Visit) {
  void containers.get(match[1]!)?.worker!.stop(query.get('signal') === 'SIGKILL' ? 0 : 60_000)
  response.writeHead(204).end()
}

async function remove({ containers }: ScriptedEngine, { match, response }: Visit) {
  const container = containers.get(match[1]!)
  if (!container) return null
  containers.delete(match[1]!)
  await container.worker?.stop(0)
  response.writeHead(204).end()
  return undefined
}
