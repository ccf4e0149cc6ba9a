import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AppError, type Manifest, parseManifest } from '@flash/protocol'
import { createWorkerBuilder, type WorkerBuild, type WorkerBuilder } from '../bundle/builder.ts'
import type { WorkerBuildOptions } from '../bundle/options.ts'
import { createTestProject, resolveFile, type TestProject, type TestProjectOptions } from './project.ts'

/** A project whose workers are built; the runtime in their bundles is a small one of its own. */
export interface WorkerProject extends TestProject {
  builder: WorkerBuilder
  /** Scans what was written since, and builds. */
  build(): Promise<WorkerBuild>
  /** What a build that fails has to say. */
  failures(): Promise<AppError[]>
  read(file: string): string
  /** Files below `.flash/build`, sorted. */
  written(): string[]
  manifest(): Manifest
  /** Calls a function in its bundle, in a process of its own. */
  call(endpoint: string, name: string, ...args: unknown[]): Promise<any>
}

const own = 'node_modules/unplugin-flash'

/** Stands in for the published package. */
const runtime = {
  [`${own}/package.json`]: JSON.stringify({
    name: 'unplugin-flash',
    version: '0.0.0',
    type: 'module',
    sideEffects: false,
    exports: {
      '.': './dist/index.mjs',
      './internal/calls': './dist/internal/calls.mjs',
      './internal/define': './dist/internal/define.mjs',
      './internal/bundle': './dist/internal/bundle.mjs',
    },
  }),
  [`${own}/dist/index.mjs`]: `export const getContext = () => 'context'\nexport const remote = 'unused in workers'\n`,
  [`${own}/dist/internal/calls.mjs`]: `export const serverStub = (id, kind, info) => async (...args) => ({ stub: id, info, args })
export const serverClass = serverStub
export const serverWeb = (id, info) => ({ fetch: async (path) => ({ stub: id, info, path }) })
export const serverRoute = (id, method, path, info) => async (given) => ({ stub: id, method, path, info, given })
export const serverSocket = serverWeb\n`,
  [`${own}/dist/internal/define.mjs`]: `export function define(functions, id, config, body) {
  functions[id] = { config, body }
  return body
}
export function register(functions, id, config, body) {
  functions[id] = { config, body }
}
export const defineApi = (config) => ({ config })
export const defineWeb = define
export const routeOfServer = (name, at) => async () => ['of the server', name, at]
export { defineRoute as defineSocket }
export function defineRoute(functions, id, { config }, method, path, body, options) {
  functions[id] = { config, body, route: { method, path, options } }
  return body
}\n`,
  [`${own}/dist/internal/bundle.mjs`]: `import { helper } from '../helper.mjs'
export async function startBundle(info, maps) {
  const functions = Object.assign({}, ...maps)
  const [name, ...args] = JSON.parse(process.argv[2])
  const { id } = info.functions.find(({ exportPath }) => exportPath === name)
  console.log(helper(await functions[id].body(...args)))
}\n`,
  [`${own}/dist/helper.mjs`]: `export const helper = (value) => JSON.stringify(value) ?? 'null'\n`,
}

export interface WorkerProjectOptions
  extends Partial<Omit<WorkerBuildOptions, 'root' | 'project'>>,
    Pick<TestProjectOptions, 'below'> {
  /** Instead of the usual ones of a host. */
  resolveFor?: (root: string) => WorkerBuildOptions['resolve']
}

export async function createWorkerProject(
  files: Record<string, string>,
  { resolveFor, below, ...options }: WorkerProjectOptions = {},
): Promise<WorkerProject> {
  let root = ''
  const resolve: WorkerBuildOptions['resolve'] = async (specifier, importer) =>
    resolveFor ? resolveFor(root)(specifier, importer) : resolveFile(root, specifier, importer)
  const load = async (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : null)
  const project = createTestProject(
    { ...runtime, ...files },
    { host: { resolve, load }, mode: 'production', below },
  )
  root = project.root
  const builder = makeOrDispose(project, () =>
    createWorkerBuilder({
      root,
      project,
      resolve,
      app: 'shop',
      mode: 'production',
      define: {},
      env: {},
      ...options,
    }),
  )
  const folder = project.path('.flash/build')
  const build = async () => {
    await project.scan()
    return builder.build()
  }
  return {
    ...project,
    builder,
    build,
    failures: () => failuresOf(build()),
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    written: () => (existsSync(folder) ? listFiles(folder) : []),
    manifest: () => parseManifest(readFileSync(join(folder, 'flash_manifest.json'), 'utf8'), 'the manifest'),
    async call(endpoint, name, ...args) {
      const main = join(folder, endpoint, 'main.mjs')
      const { stdout } = await promisify(execFile)(process.execPath, [main, JSON.stringify([name, ...args])])
      return JSON.parse(stdout)
    },
  }
}

async function failuresOf(build: Promise<unknown>): Promise<AppError[]> {
  const error = await build.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof AppError) return [error]
  if (error instanceof AggregateError) return error.errors as AppError[]
  throw error ?? new Error('the build did not fail')
}

function makeOrDispose<T>(project: TestProject, make: () => T): T {
  try {
    return make()
  } catch (error) {
    project[Symbol.dispose]()
    throw error
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort()
}
