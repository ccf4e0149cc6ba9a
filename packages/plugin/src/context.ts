import { readFile } from 'node:fs/promises'
import { type CompilerHost, createProject, type Project, type Role } from '@flash/compiler'
import { endpointKey } from '@flash/dev'
import { type Capability, createCapability, loadProjectKey } from '@flash/server'
import { createFilter, type TransformFilter } from './filter.ts'
import { type PluginOptions, type ResolvedOptions, resolveOptions } from './options.ts'

/** What the hooks share; the host fills in what only it knows. */
export interface PluginContext {
  options: ResolvedOptions
  /** Set once the host has read its configuration. */
  root: string
  command: 'serve' | 'build'
  /** Path below which the routes are. */
  prefix: string
  /** Tests call the real function in their own process. */
  testing: boolean
  project: Project
  capability: Capability
  resolve: CompilerHost['resolve']
  filter: TransformFilter
  /** All sources were read; a host that has configuration of its own does so before it starts. */
  scanned: Promise<void> | null
  /** Folders that hold the result of an earlier build. */
  outDirs: string[]
  /** Text of the client module last sent for a file, by absolute path. */
  stubs: Map<string, string>
}

export function createContext(options: PluginOptions | undefined): PluginContext {
  return {
    options: resolveOptions(options),
    root: process.cwd(),
    command: 'serve',
    prefix: '/_flash',
    testing: Boolean(process.env.VITEST),
    resolve: async () => null,
    filter: createFilter(),
    scanned: null,
    outDirs: [],
    stubs: new Map(),
  } as unknown as PluginContext
}

export interface Setup {
  root: string
  command: 'serve' | 'build'
  mode: string
  base: string
  define: Record<string, unknown>
  /** `import.meta.env` of the mode. */
  env: Record<string, unknown>
}

/** Completes the context with what the host's configuration says. */
export function setUp(context: PluginContext, setup: Setup): void {
  const { root, command, base, mode } = setup
  context.root = root
  context.command = command
  const path = base.startsWith('/') ? base : '/'
  context.prefix = `${path}_flash`
  context.capability = createCapability(loadProjectKey(root))
  const host = {
    resolve: (specifier: string, importer: string) => context.resolve(specifier, importer),
    load: (file: string) => readFile(file, 'utf8').catch(() => null),
  }
  context.project = createProject({
    root,
    host,
    mode,
    define: setup.define,
    env: setup.env,
    configEnv: context.options.configEnv,
  })
}

export interface Asker {
  environment: { name: string; consumer: 'client' | 'server' } | undefined
  file: string
  query: string
}

/** Which part a module plays: by the environment that asks, never by its name. */
export async function roleOf(context: PluginContext, { environment, file, query }: Asker): Promise<Role> {
  if (context.testing) return { kind: 'local' }
  if (environment?.name === 'flash') return workerRole(context.project, file, new URLSearchParams(query))
  if (environment?.consumer === 'server')
    return { kind: 'server', root: context.command === 'serve' ? context.root : undefined }
  return clientRole(context)
}

export function clientRole({ capability }: PluginContext): Role {
  return { kind: 'client', tag: capability.tag }
}

async function workerRole(project: Project, file: string, query: URLSearchParams): Promise<Role> {
  const setup = query.get('flash-setup')
  const source = setup && project.setupSource(setup)
  if (source) return { kind: 'setup', start: source.start, end: source.end }
  const key = query.get('flash')
  const name = project.functions().find((fact) => endpointKey(fact.endpoint) === key)?.endpoint
  if (name === undefined) return { kind: 'server' }
  const demand = await project.demand(name)
  return { kind: 'worker', keeps: (fact) => fact.endpoint === name, demanded: demand.get(file) }
}
