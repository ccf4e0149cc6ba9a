import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, type FunctionFact, type ResolvedEndpointConfig } from '@flash/protocol'
import { stateFolder } from '@flash/server'
import {
  createEndpoint,
  type EndpointContext,
  type EndpointSettings,
  type LocalEndpoint,
} from './endpoint.ts'
import { resolveWorkerEnv } from './env.ts'

export interface EndpointsOptions {
  context: EndpointContext
  /** The endpoint's config as the source has it now: the same object until an edit. */
  config(name: string): Promise<ResolvedEndpointConfig>
  /** Vite's `.env*` files: the same object until they change. */
  envFiles(): Record<string, string>
  /** Variables by which a worker finds this server. */
  address(): Promise<Record<string, string>>
}

/** The endpoints that were called so far, each with the config it has now. */
export interface Endpoints {
  get(fact: FunctionFact): Promise<LocalEndpoint>
  find(name: string): LocalEndpoint | undefined
  all(): LocalEndpoint[]
  invalidate(files: string[]): void
  /** Fresh workers from the next call on. */
  retire(): void
  close(): void
}

interface Entry {
  endpoint: LocalEndpoint
  config: ResolvedEndpointConfig
  envFiles: Record<string, string>
}

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const entries = new Map<string, Entry>()
  const settingsOf = async (name: string, config: ResolvedEndpointConfig): Promise<EndpointSettings> => {
    checkTarget(name, config)
    const address = await options.address()
    const files = options.envFiles()
    const named = resolveWorkerEnv(name, config.env, { process: process.env, files })
    const env = { NODE_ENV: 'development', ...volumeOf(config, options.context.root), ...named, ...address }
    return {
      name,
      key: endpointKey(name),
      config,
      env,
      unnamed: Object.keys(files).filter((one) => !(one in env)),
    }
  }
  return {
    async get({ endpoint: name }) {
      const config = await options.config(name)
      const envFiles = options.envFiles()
      const known = entries.get(name)
      if (known && known.config === config && known.envFiles === envFiles) return known.endpoint
      const settings = await settingsOf(name, config)
      // Another call may have made it while this one waited.
      const endpoint = entries.get(name)?.endpoint ?? createEndpoint(settings, options.context)
      endpoint.configure(settings)
      entries.set(name, { endpoint, config, envFiles })
      return endpoint
    },
    find: (name) => entries.get(name)?.endpoint,
    all: () => [...entries.values()].map(({ endpoint }) => endpoint),
    invalidate(files) {
      for (const { endpoint } of entries.values()) endpoint.invalidate(files)
    },
    retire() {
      for (const { endpoint } of entries.values()) endpoint.retire()
    },
    close() {
      for (const { endpoint } of entries.values()) endpoint.close()
      entries.clear()
    },
  }
}

/** What is asked to run elsewhere must not quietly run here. */
function checkTarget(name: string, { dev }: ResolvedEndpointConfig): void {
  if (dev.target === null || dev.target === 'local') return
  throw new AppError('NOT_AVAILABLE', {
    message: `endpoint "${name}" has dev.target "${dev.target}", which this version does not have`,
    hint: 'leave dev.target out, or set it to "local"',
  })
}

/** Where code finds its volume, by the name of the first one. */
function volumeOf({ volumes: [volume] }: ResolvedEndpointConfig, root: string): Record<string, string> {
  if (!volume) return {}
  const folder = join(
    stateFolder(root),
    'volumes',
    (volume.name ?? volume.id ?? 'volume').replace(/[^\w.-]|^\.+/g, '_'),
  )
  mkdirSync(folder, { recursive: true })
  return { FLASH_VOLUME: folder }
}

/** Stands for an endpoint in module ids, where a name with dots would look like a file ending. */
export function endpointKey(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}
