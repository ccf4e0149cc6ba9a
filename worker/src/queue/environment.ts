import { randomUUID } from 'node:crypto'
import { AppError, workerVariables } from '@flash/protocol'

export type Env = Readonly<Record<string, string | undefined>>

/** Where a request goes: a server, and below it a path with its query. */
export interface Target {
  server: Server
  path: string
}

interface Server {
  isSecure: boolean
  hostname: string
  port: number
}

export interface QueueEnvironment {
  workerId: string
  /** Lines of the log are JSON where there is one. */
  endpointId: string | undefined
  hostname: string | undefined
  /** Raw value of the header. */
  authorization: string | undefined
  /** `count` jobs at once; only ever one where the platform gives no batches. */
  take(count: number, isBusy: boolean): Target
  givesBatches: boolean
  /** `null` where the address of the other jobs does not tell it. */
  stop: Target | null
  done(jobId: string, isStream: boolean): Target
  /** `null` without `RUNPOD_WEBHOOK_POST_STREAM`. */
  stream: ((jobId: string) => Target) | null
  /** `null` where the platform wants to hear nothing. */
  ping: Ping | null
}

export interface Ping {
  /** With these parameters in its query. */
  target(query: Record<string, string>): Target
  intervalMs: number
}

/** Stand for what a request fills in, in a form that a URL leaves alone. */
const jobMark = 'flash-job-id-here'
const countMark = 'flash-count-here'

const defaultPingMs = 10_000
const longestPingMs = 3_600_000

/**
 * Reads the variables that the platform gives to its workers.
 *
 * - throws `BAD_ENVIRONMENT` naming the variable.
 *
 * Source: runpod-python 1.12, serverless worker.
 */
export function parseEnvironment(env: Env): QueueEnvironment {
  const given = read(env, 'worker')
  const workerId = given ?? randomUUID()
  const authorization = parseKey(read(env, 'key'))
  const take = parseUrl(env, 'take', workerId, (text) => text.replaceAll('$ID', encodeURIComponent(workerId)))
  if (!take) throw missing('take')
  const done = parseJobUrl(env, 'done', workerId)
  if (!done) throw missing('done')
  const stream = parseJobUrl(env, 'stream', workerId)
  const streams = stream && createTargets(stream)
  const ping = parsePing(env, workerId)
  const stop = siblingOf(take, '/job-stop/')
  return {
    workerId,
    endpointId: read(env, 'endpoint'),
    hostname: read(env, 'hostname'),
    authorization,
    ...createTakes(take),
    stop: stop && toTarget(stop),
    done: createTargets(done),
    stream: streams && ((jobId) => streams(jobId, false)),
    // Without its own id or a key the platform could not tell who is alive.
    ping: given !== undefined && authorization !== undefined ? ping : null,
  }
}

type Name = keyof typeof workerVariables

/** An empty variable is one that is not there. */
function read(env: Env, name: Name): string | undefined {
  return env[workerVariables[name]]?.trim() || undefined
}

function createTakes(take: URL): Pick<QueueEnvironment, 'take' | 'givesBatches'> {
  const batch = siblingOf(take, '/job-take-batch/')
  const single = (busy: string) => toTarget(withQuery(take, { job_in_progress: busy }))
  const singles = { idle: single('0'), busy: single('1') }
  const many = (busy: string) =>
    batch && createFiller(withQuery(batch, { batch_size: countMark, job_in_progress: busy }), countMark)
  const batches = { idle: many('0'), busy: many('1') }
  return {
    givesBatches: batch !== null,
    take(count, isBusy) {
      const state = isBusy ? 'busy' : 'idle'
      return (count > 1 && batches[state]?.(String(count))) || singles[state]
    },
  }
}

function createTargets(url: URL): QueueEnvironment['done'] {
  const fill = (isStream: string) => createFiller(withQuery(url, { isStream }), jobMark)
  const whole = fill('false')
  const streamed = fill('true')
  return (jobId, isStream) => (isStream ? streamed : whole)(encodeURIComponent(jobId))
}

/** What differs from request to request is put in as text: a URL would take `..` for the folder above. */
function createFiller(url: URL, mark: string): (value: string) => Target {
  const { server, path } = toTarget(url)
  const parts = path.split(mark)
  return (value) => ({ server, path: parts.join(value) })
}

function toTarget({ protocol, hostname, port, pathname, search }: URL): Target {
  const isSecure = protocol === 'https:'
  return {
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    server: {
      isSecure,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (isSecure ? 443 : 80),
    },
    path: pathname + search,
  }
}

function withQuery(url: URL, query: Record<string, string>): URL {
  const full = new URL(url)
  for (const [key, value] of Object.entries(query)) full.searchParams.set(key, value)
  return full
}

/** The same address with another operation. */
function siblingOf(take: URL, operation: string): URL | null {
  if (!take.pathname.includes('/job-take/')) return null
  const url = new URL(take)
  url.pathname = take.pathname.replace('/job-take/', operation)
  return url
}

function parseJobUrl(env: Env, name: 'done' | 'stream', workerId: string): URL | null {
  return parseUrl(env, name, workerId, (text) => {
    if (text.includes('$ID')) return text.replaceAll('$ID', jobMark)
    throw new AppError('BAD_ENVIRONMENT', {
      message: `${workerVariables[name]} has no $ID where the id of the job belongs: ${JSON.stringify(text)}`,
      hint: 'give it as …/$RUNPOD_POD_ID/$ID',
    })
  })
}

function parseUrl(
  env: Env,
  name: Name,
  workerId: string,
  fill: (text: string) => string = (text) => text,
): URL | null {
  const text = read(env, name)
  if (text === undefined) return null
  const filled = fill(text.replaceAll('$RUNPOD_POD_ID', encodeURIComponent(workerId)))
  const url = URL.canParse(filled) ? new URL(filled) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new AppError('BAD_ENVIRONMENT', {
    message: `${workerVariables[name]} is no http or https address: ${JSON.stringify(text)}`,
    hint: 'give the whole address, as in https://api.runpod.ai/v2/<endpoint>/…',
  })
}

function parsePing(env: Env, workerId: string): Ping | null {
  const url = parseUrl(env, 'ping', workerId)
  const text = read(env, 'pingInterval') ?? String(defaultPingMs)
  const intervalMs = Number(text)
  if (!Number.isSafeInteger(intervalMs) || intervalMs < 1 || intervalMs > longestPingMs) {
    throw new AppError('BAD_ENVIRONMENT', {
      message: `${workerVariables.pingInterval} is ${JSON.stringify(text)}, not a number of milliseconds`,
      hint: `give a whole number from 1 to ${longestPingMs}`,
    })
  }
  return url && { target: (query) => toTarget(withQuery(url, query)), intervalMs }
}

function parseKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\t\x20-\x7e\x80-\xff]*$/.test(key)) return key
  throw new AppError('BAD_ENVIRONMENT', {
    message: `${workerVariables.key} holds characters that no header can have`,
    hint: 'give the key alone, without line ends',
  })
}

function missing(name: Name): AppError {
  return new AppError('BAD_ENVIRONMENT', {
    message: `${workerVariables[name]} is not set`,
    hint: 'start the worker where the platform, or `flash emulator`, gives it its variables',
  })
}
