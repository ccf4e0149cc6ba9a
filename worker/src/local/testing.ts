import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import {
  createMessageReader,
  decodeValue,
  encodeMessage,
  FrameType,
  type FromWorker,
  fromWireError,
  type LocalCall,
  type ToWorker,
  toWireError,
  writeInput,
} from '@flash/protocol'
import { createServer, type ViteDevServer } from 'vite'
import type { Channel } from './channel.ts'

/** What a worker said, with its bytes. */
type Said = FromWorker & { parts: Uint8Array[] }

/** The dev server's side of a channel, by hand. */
export interface Parent {
  said: Said[]
  say(message: ToWorker, parts?: Uint8Array[]): void
  /** Resolves with the first message that fits, also one said before. */
  hear<T extends FromWorker['t']>(
    t: T,
    fits?: (message: Extract<Said, { t: T }>) => boolean,
  ): Promise<Extract<Said, { t: T }>>
  /** Sends a call of a plain function; resolves with its value, rejects with its error. */
  call(fn: string, args?: unknown[], more?: Partial<LocalCall>): Call
  output(call: number | null): string
  answers: { [name: string]: (...data: any[]) => unknown }
}

interface Call extends Promise<unknown> {
  number: number
}

interface Wire {
  send(bytes: Uint8Array<ArrayBuffer>): void
  onData(listener: (bytes: Uint8Array) => void): void
}

export function createParent(wire: Wire, defaults: Partial<LocalCall> = {}): Parent {
  const said: Said[] = []
  const answers: Parent['answers'] = { setupKey: () => 'v1' }
  const say: Parent['say'] = (message, parts = []) => {
    const text = JSON.stringify(message)
    wire.send(encodeMessage({ type: FrameType.channel, rich: false, text, parts }))
  }
  const { hear, tell } = createEar(said)
  const reader = createMessageReader(({ text, parts }) => {
    const message = { ...JSON.parse(text), parts } as Said
    if (message.t === 'request') void reply(message, answers, say)
    tell(message)
  })
  wire.onData((bytes) => reader.push(bytes))
  let last = 0
  return {
    said,
    say,
    hear,
    answers,
    call(fn, args = [], more = {}) {
      const message = { ...createMessage(fn, ++last), ...defaults, ...more }
      sendCall(message, args, say)
      return Object.assign(outcomeOf(message.call, hear), { number: message.call })
    },
    output: (call) => said.map((one) => (one.t === 'log' && one.call === call ? one.text : '')).join(''),
  }
}

function createEar(said: Said[]): { hear: Parent['hear']; tell(message: Said): void } {
  const listeners = new Set<(message: Said) => void>()
  return {
    hear: (t, fits = () => true) =>
      new Promise((found) => {
        const look = (message: Said) => {
          if (message.t !== t || !fits(message as never)) return false
          listeners.delete(look)
          found(message as never)
          return true
        }
        if (!said.some(look)) listeners.add(look)
      }),
    tell(message) {
      said.push(message)
      for (const listener of Array.from(listeners)) listener(message)
    },
  }
}

async function reply(
  { request, name, data }: Extract<Said, { t: 'request' }>,
  answers: Parent['answers'],
  say: Parent['say'],
): Promise<void> {
  try {
    say({ t: 'reply', request, ok: await answers[name]!(...data) })
  } catch (error) {
    say({ t: 'reply', request, error: toWireError(error, { stack: true }) })
  }
}

function createMessage(fn: string, call: number): LocalCall {
  return {
    t: 'call',
    call,
    jobId: `job-${call}`,
    attempt: 1,
    deadline: null,
    fn,
    module: '/main.ts',
    input: {},
    shape: { kind: 'function', callables: [{ name: fn, params: null }], takesObject: false },
    foreign: false,
    setup: null,
    endpoint: 'test',
    instances: 16,
  }
}

function sendCall(message: LocalCall, args: unknown[], say: Parent['say']): void {
  const given = message.input['flash:call'] !== undefined
  const written = given ? { input: message.input, parts: [] } : writeInput(message.shape, args)
  if (!(written instanceof Promise)) say({ ...message, input: written.input }, written.parts)
  else void written.then(({ input, parts }) => say({ ...message, input }, parts))
}

async function outcomeOf(call: number, hear: Parent['hear']): Promise<unknown> {
  const outcome = await Promise.race([
    hear('done', (message) => message.call === call),
    hear('failed', (message) => message.call === call),
  ])
  if (outcome.t === 'failed') throw fromWireError(outcome.error)
  if (outcome.text === '') return undefined
  return decodeValue(outcome.rich, outcome.text, outcome.parts, { direction: 'out' })
}

/** Two ends of a channel in memory. Bytes arrive in a later turn, as on a pipe. */
export function createPair(): { channel: Channel; wire: Wire; close(): void; backlog: { bytes: number } } {
  const toWorker: ((bytes: Uint8Array) => void)[] = []
  const toParent: ((bytes: Uint8Array) => void)[] = []
  const closed: (() => void)[] = []
  const backlog = { bytes: 0 }
  const channel: Channel = {
    send: (bytes) => queueMicrotask(() => toParent.forEach((listener) => listener(bytes))),
    onData: (listener) => void toWorker.push(listener),
    onClose: (listener) => void closed.push(listener),
    waiting: () => backlog.bytes,
  }
  return {
    channel,
    backlog,
    wire: {
      send: (bytes) => queueMicrotask(() => toWorker.forEach((listener) => listener(bytes))),
      onData: (listener) => void toParent.push(listener),
    },
    close: () => closed.forEach((listener) => listener()),
  }
}

/** A project on disk, served by a real Vite dev server. */
export interface Project {
  root: string
  server: ViteDevServer
  file(path: string): string
  /** Writes a file and lets the server forget what depends on it. */
  write(path: string, text: string): string
  /** What `fetchModule`, `getBuiltins` answer. */
  answers: Parent['answers']
  close(): Promise<void>
}

const source = (path: string) => resolve(import.meta.dirname, '..', path)

export async function createProject(files: Record<string, string>): Promise<Project> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-worker-')))
  const file = (path: string) => join(root, path)
  const put = (path: string, text: string) => {
    mkdirSync(dirname(file(path)), { recursive: true })
    writeFileSync(file(path), text)
  }
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files }))
    put(path, text)
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    server: { middlewareMode: true, watch: null, ws: false },
    resolve: { alias: { 'unplugin-flash/internal/define': source('execute/define.ts') } },
    environments: { flash: { consumer: 'server' } },
  })
  const environment = server.environments.flash!
  return {
    root,
    server,
    file,
    write(path, text) {
      put(path, text)
      environment.moduleGraph.onFileChange(file(path))
      return file(path)
    },
    answers: {
      fetchModule: (url, importer, options) => environment.fetchModule(url, importer, options),
      getBuiltins: () =>
        environment.config.resolve.builtins.map((one) =>
          typeof one === 'string'
            ? { type: 'string', value: one }
            : { type: 'RegExp', source: one.source, flags: one.flags },
        ),
    },
    async close() {
      await server.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** A module as the compiler writes it for a worker. */
export function workerModule(text: string): string {
  return `import { define as __flash_define } from 'unplugin-flash/internal/define'
const __flash_functions = Object.create(null)
${text}
export { __flash_functions }
`
}
