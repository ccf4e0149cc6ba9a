import { AppError } from '@flash/protocol'

export interface PluginOptions {
  /** The project's name on the account; that of `package.json` when omitted. */
  app?: string
  /** Where functions run in development; `local` is this machine. */
  target?: 'local'
  /** How a local worker is kept apart from the dev server: a process of its own (default), a thread, or not at all. */
  isolation?: 'process' | 'thread' | 'none'
  /** Start local workers with a debugger listening; also on when the dev server itself is debugged. */
  inspect?: boolean
  /** The largest body a call from a page may have, in bytes; 10_000_000 when omitted. */
  maxBodyBytes?: number
  /** Variables that config expressions may read while they are evaluated, beside `NODE_ENV` and `MODE`. */
  configEnv?: string[]
  /** Origin and path of the app's server, for a build whose pages are served from somewhere else: `https://api.example.com`. */
  apiBase?: string
  /**
   * Name of the variable with the key by which endpoints call each other: `FLASH_WORKER_KEY`. Workers of endpoints that
   * call others get it, and no other key.
   */
  workerKey?: string
  /** How endpoints call each other. */
  calls?: CallsOptions
  /**
   * The app has a server of its own, although this configuration does not name it: another command or bundler builds it. Routes with
   * `local: true` run there.
   */
  server?: boolean
  /** What a host without environments (Rollup) builds: pages (default), or code that runs on a server. */
  role?: 'client' | 'server'
  /** The build of the worker bundles. */
  worker?: WorkerBuildOptions
}

export interface CallsOptions {
  /** `false`: what nobody received is not sent again. */
  retry?: boolean
  /** `false`: an address that fails again and again is called nevertheless. */
  breaker?: boolean
  /** How calls spread over several addresses of an endpoint; one after the other when omitted. */
  balance?: 'round-robin' | 'least-busy' | 'random'
}

export interface WorkerBuildOptions {
  /** Plugins of the bundler, made anew for each endpoint; those of the app are not used. */
  plugins?: () => unknown[]
  /** `false`: names of functions stay readable in stacks. */
  minify?: boolean
  /** The bundler: the one of the project when omitted, rolldown where Vite or rolldown is installed, else rollup with esbuild. */
  engine?: 'rolldown' | 'rollup'
  /** More input options of the bundler. */
  inputOptions?: Record<string, unknown>
}

type Defaulted = 'target' | 'isolation' | 'inspect' | 'maxBodyBytes' | 'configEnv' | 'role' | 'worker'

export type ResolvedOptions = PluginOptions & Required<Pick<PluginOptions, Defaulted>>

const defaults: Pick<ResolvedOptions, Defaulted> = {
  target: 'local',
  isolation: 'process',
  inspect: false,
  maxBodyBytes: 10_000_000,
  configEnv: [],
  role: 'client',
  worker: {},
}

type Check = [is: (value: unknown) => boolean, wanted: string]

const oneOf = (...values: string[]): Check => [
  (value) => values.includes(value as string),
  values.map((value) => `"${value}"`).join(', '),
]
const flag: Check = [(value) => typeof value === 'boolean', 'true or false']
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

const checks: Record<keyof PluginOptions, Check> = {
  app: [(value) => typeof value === 'string' && value.trim() !== '', 'a name'],
  target: oneOf('local'),
  isolation: oneOf('process', 'thread', 'none'),
  inspect: flag,
  maxBodyBytes: [
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
    'a number of bytes above 0',
  ],
  configEnv: [
    (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    'a list of names',
  ],
  apiBase: [isAddress, 'an absolute URL such as "https://api.example.com"'],
  workerKey: [
    (value) => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value),
    'the name of a variable, such as "FLASH_WORKER_KEY"',
  ],
  calls: [isObject, 'an object'],
  server: flag,
  role: oneOf('client', 'server'),
  worker: [isObject, 'an object'],
}

const workerChecks: Record<keyof WorkerBuildOptions, Check> = {
  plugins: [(value) => typeof value === 'function', 'a function that returns plugins'],
  minify: flag,
  engine: oneOf('rolldown', 'rollup'),
  inputOptions: [isObject, 'an object'],
}

const callsChecks: Record<keyof CallsOptions, Check> = {
  retry: flag,
  breaker: flag,
  balance: oneOf('round-robin', 'least-busy', 'random'),
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value) && !/[?#]/.test(value)
}

/** Fills in defaults; every option that is unknown or wrong is named, with what is allowed. */
export function resolveOptions(options: PluginOptions = {}): ResolvedOptions {
  const { worker, calls } = options
  const problems = [
    ...findProblems(options, checks, ''),
    ...(isObject(worker) ? findProblems(worker!, workerChecks, 'worker.') : []),
    ...(isObject(calls) ? findProblems(calls!, callsChecks, 'calls.') : []),
  ]
  if (problems.length > 0) {
    throw new AppError('BAD_OPTION', {
      message: `flash(): ${problems.join('; ')}`,
      hint: 'correct the options of flash() in the configuration of your bundler, vite.config.ts for Vite',
    })
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

function findProblems(options: object, known: Record<string, Check>, prefix: string): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (!Object.hasOwn(known, name))
      return [`"${prefix}${name}" is no option; there are: ${Object.keys(known).join(', ')}`]
    const [is, wanted] = known[name]!
    return value === undefined || is(value)
      ? []
      : [`"${prefix}${name}" is ${show(value)}; allowed: ${wanted}`]
  })
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? typeof value
}
