import { createHash } from 'node:crypto'
import {
  createBalancedEndpoint,
  createEndpoint,
  type EndpointContext,
  type EndpointSettings,
  type LocalBalanced,
  type LocalEndpoint,
} from '@flash/emulator'
import {
  AppError,
  type Clock,
  type FunctionFact,
  isBalanced,
  type ResolvedEndpointConfig,
  runsInServer,
} from '@flash/protocol'
import { resolveWorkerEnv, volumeVariables } from '@flash/server'
import type { ModuleServer } from './modules.ts'
import { type Isolation, launchers, type LaunchOptions } from './workers/launch.ts'

/** What endpoints need of the runtime around them. */
export interface EndpointsContext {
  clock: Clock
  root: string
  isolation: Isolation
  inspect: boolean
  entry: LaunchOptions['entry']
  modules: ModuleServer
  /** Lines a worker wrote while no call ran, and those of calls. */
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
}

export interface EndpointsOptions {
  context: EndpointsContext
  /** The endpoint's config as the source has it now: the same object until an edit. */
  config(name: string): Promise<ResolvedEndpointConfig>
  /** All functions of the project as the source has them now. */
  functions(): FunctionFact[]
  /** Vite's `.env*` files: the same object until they change. */
  envFiles(): Record<string, string>
  /** Variables by which a worker finds this server. */
  address(): Promise<Record<string, string>>
}

/** Where values of variables can be put. */
export const envPlace = 'in .env.local or in the environment of the dev server'

export type DevEndpoint = LocalEndpoint<FunctionFact>

/** The endpoints that were called so far, each with the config it has now. */
export interface Endpoints {
  get(fact: FunctionFact): Promise<DevEndpoint>
  /** That of a route or a web app; it answers what its source has now. */
  balanced(fact: FunctionFact): Promise<LocalBalanced<FunctionFact>>
  find(name: string): DevEndpoint | undefined
  all(): DevEndpoint[]
  invalidate(files: string[]): void
  /** Fresh workers from the next call on. */
  retire(): void
  close(): void
}

/** What both kinds of endpoints are told. */
type Runner = Pick<DevEndpoint, 'configure' | 'invalidate' | 'retire' | 'close'>

/** Endpoints of one kind. */
interface Fleet<E extends Runner> {
  get(name: string): Promise<E>
  find(name: string): E | undefined
  all(): E[]
}

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { context } = options
  let isClosed = false
  const checkOpen = (name: string) => {
    if (isClosed) throw closed(name)
  }
  const queues = createFleet<DevEndpoint>(options, (settings) => {
    checkOpen(settings.name)
    return createEndpoint(settings, contextOf(settings.name, context))
  })
  const balanced = createFleet<LocalBalanced<FunctionFact>>(options, (settings) => {
    checkOpen(settings.name)
    return createBalancedEndpoint(settings, contextOf(settings.name, context))
  })
  const everyone = (): Runner[] => [...queues.all(), ...balanced.all()]
  return {
    async get({ endpoint }) {
      // An edit may have made one of the other kind of it.
      balanced.find(endpoint)?.retire()
      return queues.get(endpoint)
    },
    async balanced({ endpoint: name }) {
      queues.find(name)?.retire()
      const endpoint = await balanced.get(name)
      const own = options.functions().filter((fact) => isBalanced(fact) && fact.endpoint === name)
      endpoint.serve(own.filter((fact) => !runsInServer(fact)))
      return endpoint
    },
    find: queues.find,
    all: queues.all,
    invalidate(files) {
      for (const endpoint of everyone()) endpoint.invalidate(files)
    },
    retire() {
      for (const endpoint of everyone()) endpoint.retire()
    },
    close() {
      isClosed = true
      for (const endpoint of everyone()) endpoint.close()
    },
  }
}

/** Whoever asked while it closed would start a worker that nobody ends. */
function closed(name: string): AppError {
  return new AppError('NO_WORKERS', {
    message: `endpoint "${name}" is closed`,
    hint: 'the development server has ended, or begins anew',
  })
}

interface Entry<E> {
  endpoint: E
  config: ResolvedEndpointConfig
  envFiles: Record<string, string>
}

function createFleet<E extends Runner>(
  options: EndpointsOptions,
  create: (settings: EndpointSettings) => E,
): Fleet<E> {
  const entries = new Map<string, Entry<E>>()
  return {
    async get(name) {
      const config = await options.config(name)
      const envFiles = options.envFiles()
      const known = entries.get(name)
      if (known && known.config === config && known.envFiles === envFiles) return known.endpoint
      const settings = await settingsOf(options, name, config)
      // Another call may have made it while this one waited.
      const endpoint = entries.get(name)?.endpoint ?? create(settings)
      endpoint.configure(settings)
      entries.set(name, { endpoint, config, envFiles })
      return endpoint
    },
    find: (name) => entries.get(name)?.endpoint,
    all: () => Array.from(entries.values(), ({ endpoint }) => endpoint),
  }
}

async function settingsOf(
  options: EndpointsOptions,
  name: string,
  config: ResolvedEndpointConfig,
): Promise<EndpointSettings> {
  checkTarget(name, config)
  const address = await options.address()
  const files = options.envFiles()
  const named = resolveWorkerEnv(name, config.env, { process: process.env, files, place: envPlace })
  const volume = volumeVariables(config, options.context.root)
  const env = { NODE_ENV: 'development', ...volume, ...named, ...address }
  return { name, config, env, unnamed: Object.keys(files).filter((one) => !(one in env)) }
}

/** What is asked to run elsewhere must not quietly run here. */
function checkTarget(name: string, { dev }: ResolvedEndpointConfig): void {
  if (dev.target === null || dev.target === 'local') return
  throw new AppError('NOT_AVAILABLE', {
    message: `endpoint "${name}" has dev.target "${dev.target}", which this version does not have`,
    hint: 'leave dev.target out, or set it to "local"',
  })
}

/** One endpoint's view of the runtime: its modules are those compiled for it. */
function contextOf(
  name: string,
  { modules, isolation, entry, inspect, ...context }: EndpointsContext,
): EndpointContext<FunctionFact> {
  const { root, clock, onOutput } = context
  const key = endpointKey(name)
  const answers: Record<string, (data: unknown[]) => Promise<unknown>> = {
    fetchModule: ([url, importer, options]) =>
      modules.fetchModule(
        key,
        url as string,
        importer as string | undefined,
        options as { cached?: boolean },
      ),
    getBuiltins: async () => modules.builtins(),
    setupKey: ([functionId]) => modules.setupHash(functionId as string),
  }
  return {
    root,
    clock,
    onOutput,
    launch: (env) => launchers[isolation]({ entry, root, env, inspect }),
    moduleOf: (fact) => modules.moduleOf(fact, key),
    answer: (question, data) => answers[question]!(data),
  }
}

/** Stands for an endpoint in module ids, where a name with dots would look like a file ending. */
export function endpointKey(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}
