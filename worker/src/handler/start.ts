import { inspect } from 'node:util'
import { AppError, workerVariables } from '@flash/protocol'
import { serveBalanced } from '../balanced/serve.ts'
import { describeFailure } from '../bundle/failure.ts'
import { leave } from '../bundle/leave.ts'
import type { BundleProcess } from '../bundle/types.ts'
import { createCrashGuard } from '../execute/crash.ts'
import { captureJobs } from '../execute/job-output.ts'
import { type QueueOptions, serveQueue } from '../queue/serve.ts'
import { version } from '../version.ts'
import { type HandlerMode, readHandlerMode } from './arguments.ts'
import { apiBodyBytes, createLocalApi } from './local-api.ts'
import { runLocally } from './run-job.ts'
import { createHandlerRunner, type HandlerRunner } from './runner.ts'
import { serveFetch } from './serve-fetch.ts'
import type { FetchOptions, HandlerOptions } from './types.ts'

export interface WorkerHost {
  process: BundleProcess & Pick<NodeJS.Process, 'off' | 'listenerCount'>
  /** Takes jobs from the platform. */
  serveQueue(options: QueueOptions): Promise<number>
}

type Options = HandlerOptions | FetchOptions

/**
 * Starts a worker that was written by hand: with `handler` it takes jobs of a queue, with `fetch` it answers the requests of a
 * load-balanced endpoint. Without a platform it runs one job, or serves a local API, as its arguments say.
 *
 * The process ends with the worker.
 */
export function start<Input = any>(options: HandlerOptions<Input>): Promise<void>
export function start(options: FetchOptions): Promise<void>
export function start(options: Options): Promise<void> {
  return startWorker(options, { process, serveQueue })
}

/** The same in a process that is given. Resolves when the worker has ended. */
export async function startWorker(options: Options, host: WorkerHost): Promise<void> {
  const { process } = host
  let code = 1
  try {
    code = await run(checkOptions(options), host)
  } catch (error) {
    process.stderr.write(`flash: ${describeFailure(error)}\n`)
  }
  leave(process, code)
}

function run(options: Options, host: WorkerHost): Promise<number> {
  const { process } = host
  if (!('handler' in options) || options.handler === undefined) return runFetch(options as FetchOptions, host)
  const mode = readHandlerMode({ args: process.argv.slice(2), env: process.env, folder: process.cwd() })
  switch (mode.kind) {
    case 'api':
      return runApi(options, mode, host)
    case 'queue':
      return runQueue(options, mode, host)
    case 'test':
      return runTest(options, mode, host)
  }
}

async function runFetch(options: FetchOptions, host: WorkerHost): Promise<number> {
  const { process } = host
  const say = (text: string) => void process.stderr.write(text)
  const guard = createCrashGuard()
  catchStray(guard, process, say)
  const server = await serveFetch(options, process.env, say)
  await untilEnd(options, host, guard.signal)
  const code = await server.close()
  return guard.signal.aborted ? 1 : code
}

async function runApi(
  options: HandlerOptions,
  { host: name, port, concurrency }: Extract<HandlerMode, { kind: 'api' }>,
  host: WorkerHost,
): Promise<number> {
  const { env, stderr } = host.process
  const print = stderr.write.bind(stderr)
  const say = (line: string) => void print(`${line}\n`)
  const output = captureJobs(host.process)
  const runner = createHandlerRunner(options, { env, output })
  catchStray(runner, host.process, print)
  const isLocal = /^(?:localhost|127\.|::1$)/.test(name)
  const endpointId = env[workerVariables.endpoint]
  const server = await serveBalanced({
    fetch: createLocalApi({ runner, concurrency, isLocal, endpointId, say }),
    host: name,
    port,
    maxBodyBytes: apiBodyBytes,
    write: print,
  })
  say(`the worker answers at http://${name.includes(':') ? `[${name}]` : name}:${server.port}`)
  await untilEnd(options, host, runner.broken)
  const code = await server.close()
  output.restore()
  return runner.broken.aborted ? 1 : code
}

function runQueue(
  options: HandlerOptions,
  { logLevel }: Extract<HandlerMode, { kind: 'queue' }>,
  host: WorkerHost,
): Promise<number> {
  const { process } = host
  const print = process.stdout.write.bind(process.stdout)
  const env = logLevel === undefined ? process.env : { ...process.env, RUNPOD_LOG_LEVEL: logLevel }
  const say = process.stderr.write.bind(process.stderr)
  const runner = createHandlerRunner(options, { env, output: captureJobs(process) })
  catchStray(runner, process, say)
  const onSignal = (listener: () => void) => listen(options, host, listener)
  return host.serveQueue({ env, runner, version, write: (line) => void print(line), onSignal })
}

/** Prints the result as one line on stdout; everything else goes to stderr. */
async function runTest(
  options: HandlerOptions,
  { job }: Extract<HandlerMode, { kind: 'test' }>,
  { process }: WorkerHost,
): Promise<number> {
  const { env, stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  const say = stderr.write.bind(stderr)
  stdout.write = stderr.write.bind(stderr)
  const output = captureJobs(process)
  // A handler may wait for something that keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  const id = (typeof job.id === 'string' && job.id) || 'local_test'
  const runner = createHandlerRunner(options, { env, output })
  catchStray(runner, process, say)
  const { result, items } = await runLocally(runner, { ...job, id }, (line) => void say(`${line}\n`))
  clearInterval(alive)
  const isList = items !== null && result.error === undefined
  print(`${JSON.stringify(isList ? { ...result, output: items } : result)}\n`)
  return result.error === undefined ? 0 : 1
}

/**
 * An error that nobody catches, in a timer or a listener, would end the process, and with it jobs, requests and results that
 * have nothing to do with it. Where the program listens for such errors itself, it decides.
 */
function catchStray(
  { crash }: Pick<HandlerRunner, 'crash'>,
  process: WorkerHost['process'],
  say: (text: string) => void,
): void {
  const event = 'uncaughtException'
  process.on(event, (error) => {
    if (process.listenerCount(event) > 1) return
    say(`flash: ${describeFailure(error)}\n`)
    crash(error)
  })
}

/** Resolves at a signal, or as soon as the process is no good any more. */
function untilEnd(options: Options, host: WorkerHost, broken: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stop()
      broken.removeEventListener('abort', end)
      resolve()
    }
    const stop = listen(options, host, end)
    broken.addEventListener('abort', end)
    if (broken.aborted) end()
  })
}

/** Calls the listener for each signal to end, the system's and the program's own; returns how to stop. */
function listen({ signal }: Options, { process }: WorkerHost, listener: () => void): () => void {
  const names = ['SIGTERM', 'SIGINT'] as const
  for (const name of names) process.on(name, listener)
  if (signal?.aborted) queueMicrotask(listener)
  signal?.addEventListener('abort', listener)
  return () => {
    for (const name of names) process.off(name, listener)
    signal?.removeEventListener('abort', listener)
  }
}

/** Throws `BAD_OPTION` for what is no worker, or two. */
function checkOptions(options: Options): Options {
  const { handler, fetch, maxBodyBytes } = Object(options) as Partial<HandlerOptions & FetchOptions>
  if (handler !== undefined && fetch !== undefined) {
    throw new AppError('BAD_OPTION', {
      message:
        'start() was given `handler` and `fetch`: a worker takes jobs of a queue or answers requests, not both',
      hint: 'give one of them, and make two endpoints',
    })
  }
  if (maxBodyBytes !== undefined && !(Number.isSafeInteger(maxBodyBytes) && maxBodyBytes >= 0)) {
    throw new AppError('BAD_OPTION', {
      message: `start() was given ${inspect(maxBodyBytes)} as \`maxBodyBytes\``,
      hint: 'give a whole number of bytes',
    })
  }
  if (typeof (handler ?? fetch) === 'function') return options
  throw new AppError('BAD_OPTION', {
    message: 'start() was given no function as `handler` or `fetch`',
    hint: 'write start({ handler: async (job) => … })',
  })
}
