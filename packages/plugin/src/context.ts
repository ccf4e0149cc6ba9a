import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  type CompilerHost,
  createProject,
  createWorkerBuilder,
  type Project,
  type Role,
  type WorkerBuilder,
} from '@flash/compiler'
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
  /** A built app is served: its sources need not be there. */
  previewing: boolean
  /** Tests call the real function in their own process. */
  testing: boolean
  project: Project
  /** The project's name on the account. */
  app: string
  key: Uint8Array
  capability: Capability
  /** Makes the worker bundles of a build. */
  builder: WorkerBuilder
  setup: Setup
  /** The host can serve what it built. */
  hasPreview: boolean
  /** Where the host's own words go. */
  print(line: string): void
  resolve: CompilerHost['resolve']
  filter: TransformFilter
  /** All sources were read; a host that has configuration of its own does so before it starts. */
  scanned: Promise<void> | null
  /** Files that pages get as they are; empty for none. */
  publicDir: string
  /** Folders that hold the result of an earlier build. */
  outDirs: string[]
  /** Modules that pages get, by id. */
  clientModules: Set<string>
  /** Text of the client module last sent for a file, by absolute path. */
  stubs: Map<string, string>
}

export function createContext(options: PluginOptions | undefined): PluginContext {
  return {
    options: resolveOptions(options),
    root: process.cwd(),
    command: 'serve',
    prefix: '/_flash',
    previewing: false,
    hasPreview: false,
    testing: Boolean(process.env.VITEST),
    resolve: async () => null,
    filter: createFilter(),
    scanned: null,
    publicDir: '',
    outDirs: [],
    clientModules: new Set(),
    stubs: new Map(),
    print: (line: string) => console.log(line),
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
  /** Variables of the mode's `.env*` files, secrets included. */
  envFiles: Record<string, string>
  /** The build has code for a server of its own, which learns the functions from a module. */
  serverOutput: boolean
  /** The app has a server of its own, built here or by another command. */
  hasServer: boolean
  /** How the server of the app answers addresses that are no files. */
  appType: 'spa' | 'mpa' | 'custom'
}

/** Completes the context with what the host's configuration says. */
export function setUp(context: PluginContext, setup: Setup): void {
  const { root, command, base, mode } = setup
  context.setup = setup
  context.root = root
  context.command = command
  const path = base.startsWith('/') ? base : '/'
  context.prefix = `${path}_flash`
  // A preview cannot use a key that it makes itself, and looks for one when there is something to serve.
  context.key = context.previewing ? new Uint8Array(32) : loadProjectKey(root)
  context.capability = createCapability(context.key)
  context.app = context.options.app ?? readName(root)
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
    hasServer: setup.hasServer,
  })
  context.builder = createWorkerBuilder({
    root,
    project: context.project,
    resolve: host.resolve,
    app: context.app,
    mode,
    define: setup.define,
    env: setup.env,
    workerKey: context.options.workerKey,
    calls: context.options.calls,
    ...context.options.worker,
  })
}

/** Of the nearest `package.json` that has one, without its scope: an app has one word on the account. */
function readName(folder: string): string {
  const file = join(folder, 'package.json')
  const { name } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }) : {}
  if (typeof name === 'string' && name) return name.replace(/^@[^/]+\//, '')
  const above = dirname(folder)
  return above === folder ? basename(folder) || 'app' : readName(above)
}

export interface Asker {
  /** Of the environment, where the host has some. */
  name: string | undefined
  consumer: 'client' | 'server'
  file: string
  query: string
}

/** Which part a module plays: by the environment that asks, never by its name. */
export async function roleOf(context: PluginContext, { name, consumer, file, query }: Asker): Promise<Role> {
  if (context.testing) return { kind: 'local' }
  if (name === 'flash') return workerRole(context.project, file, new URLSearchParams(query))
  if (consumer === 'server')
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
