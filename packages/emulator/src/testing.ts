import { createEmulator, type Emulator, type EmulatorOptions, type EndpointSettings } from './emulator.ts'

/** An emulator whose workers the test plays, and one queue endpoint on it. */
export async function startEmulator(options: EmulatorOptions = {}, settings: Partial<EndpointSettings> = {}) {
  const errors: unknown[] = []
  const emulator = await createEmulator({
    launcher: 'external',
    onError: (error) => errors.push(error),
    ...options,
  })
  const { id, url } = emulator.addEndpoint({ name: 'test', ...settings })
  return {
    emulator,
    id,
    endpoint: emulator.endpoints.get(id)!,
    errors,
    call: createCaller(url),
    own: createCaller(`${emulator.url}/_emulator`),
    worker: () => createWorker(emulator, id),
  }
}

export interface Reply {
  status: number
  headers: Headers
  /** Parsed when it is JSON, else text. */
  body: any
}

/** Asks below an address with the usual key; an object as body is sent as JSON. */
export function createCaller(base: string, key = 'emulator') {
  return async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    })
    return readReply(response)
  }
}

async function readReply(response: Response): Promise<Reply> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

export interface PlayedWorker {
  id: string
  env: Record<string, string>
  /** Any request with the worker's key, to a URL of its variables. */
  ask(method: string, url: string, body?: string, signal?: AbortSignal): Promise<Reply>
  take(signal?: AbortSignal): Promise<Reply>
  takeBatch(size: number): Promise<Reply>
  done(jobId: string, result: unknown): Promise<Reply>
  item(jobId: string, output: unknown): Promise<Reply>
  stop(): Promise<Reply>
  ping(query?: string): Promise<Reply>
}

/** A worker as Python's asks and answers, made of the variables that the emulator gives it. */
async function createWorker(emulator: Emulator, endpointId: string): Promise<PlayedWorker> {
  const env = await emulator.workerEnv(endpointId)
  const take = env.RUNPOD_WEBHOOK_GET_JOB!
  const ask = async (method: string, url: string, body?: string, signal?: AbortSignal) => {
    const headers = {
      authorization: env.RUNPOD_AI_API_KEY!,
      'content-type': 'application/x-www-form-urlencoded',
    }
    return readReply(await fetch(url, { method, headers, body, signal }))
  }
  const post = (url: string, jobId: string, body: unknown) =>
    ask('POST', `${url.replace('$ID', jobId)}&isStream=false`, JSON.stringify(body))
  return {
    id: env.RUNPOD_POD_ID!,
    env,
    ask,
    take: (signal) => ask('GET', `${take}&job_in_progress=0`, undefined, signal),
    takeBatch: (size) =>
      ask('GET', `${take.replace('/job-take/', '/job-take-batch/')}&batch_size=${size}&job_in_progress=0`),
    done: (jobId, result) => post(env.RUNPOD_WEBHOOK_POST_OUTPUT!, jobId, result),
    item: (jobId, output) => post(env.RUNPOD_WEBHOOK_POST_STREAM!, jobId, { output }),
    stop: () => ask('GET', take.replace('/job-take/', '/job-stop/')),
    ping: (query = '') => ask('GET', `${env.RUNPOD_WEBHOOK_PING}?runpod_version=1.12.0${query}`),
  }
}
