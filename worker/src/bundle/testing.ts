import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { BundleFunction, BundleInfo, ParamFact } from '@flash/protocol'
import { build, type BuildOptions } from 'esbuild'
import { createParent } from '../local/testing.ts'

const source = (path: string) => resolve(import.meta.dirname, '..', path)

/** A bundle as a build lays it out: `<root>/.flash/build/<endpoint>/main.mjs` with its map. */
export interface TestBundle {
  root: string
  /** The file that Node runs. */
  main: string
  run(args: string[], more?: RunOptions): Promise<Ran>
  /** The bundle as a worker of the platform, with its variables. */
  take(env: Record<string, string | undefined>): Taking
  /** The bundle as a worker: what it says over its pipe, what it prints, and how it ends. */
  serve(env?: Record<string, string>): ReturnType<typeof serve>
  close(): void
}

export interface Taking {
  child: ChildProcess
  printed: Pick<Ran, 'stdout' | 'stderr'>
  exit: Promise<{ code: number | null; signal: string | null }>
}

interface RunOptions {
  cwd?: string
  env?: Record<string, string>
}

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/**
 * Writes modules and bundles them with the program from this repository's sources.
 *
 * - `files`: by path below `src/`, as the compiler writes them for a worker.
 */
export async function createBundle(
  files: Record<string, string>,
  functions: BundleFunction[],
  more: Partial<BundleInfo> = {},
  options: BuildOptions = {},
): Promise<TestBundle> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-bundle-')))
  const main = join(root, '.flash/build/test/main.mjs')
  for (const [file, text] of Object.entries(files)) put(join(root, 'src', file), text)
  const entry = join(root, 'entry.ts')
  const modules = Object.keys(files).filter((file) => files[file]!.includes('__flash_functions'))
  put(entry, entryOf(modules, { ...infoOf(functions), ...more }))
  await build({
    entryPoints: [entry],
    outfile: main,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    logLevel: 'silent',
    alias: {
      'unplugin-flash/internal/bundle': source('bundle/main.ts'),
      'unplugin-flash/internal/define': source('execute/define.ts'),
      'test:balanced': source('routes/define.ts'),
    },
    nodePaths: [resolve(import.meta.dirname, '../../../node_modules')],
    ...options,
  })
  const children: ChildProcess[] = []
  return {
    root,
    main,
    run: (args, more) => run(main, args, root, more),
    take: (env) => take(main, env, children),
    serve: (env) => serve(main, env, children),
    close() {
      for (const child of children) child.kill('SIGKILL')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function infoOf(functions: BundleFunction[]): BundleInfo {
  return {
    endpoint: 'test',
    wireVersion: 1,
    node: 20,
    maxConcurrency: 1,
    instances: 16,
    executionTimeoutMs: 10_000,
    functions,
  }
}

function entryOf(files: string[], info: BundleInfo): string {
  const imports = files.map((file, n) => `import { __flash_functions as f${n} } from './src/${file}'`)
  return `import { startBundle } from 'unplugin-flash/internal/bundle'
${imports.join('\n')}
startBundle(${JSON.stringify(info)}, [${files.map((_, n) => `f${n}`).join(', ')}])
`
}

/** What a bundle knows of a function whose parameters are plain; a `?` marks one that may be missing. */
export function functionOf(
  exportPath: string,
  params: string[],
  more: Partial<BundleFunction> = {},
): BundleFunction {
  return {
    id: `${exportPath}-id`,
    path: 'src/a.ts',
    exportPath,
    kind: 'function',
    callables: [{ name: exportPath, kind: 'function', params: toParams(params) }],
    constructorParams: null,
    hasInput: false,
    hasOutput: false,
    setup: null,
    ...more,
  }
}

/** The same of a class, by the parameters of its methods. */
export function classOf(
  exportPath: string,
  methods: Record<string, string[]>,
  more: Partial<BundleFunction> = {},
): BundleFunction {
  const callables = Object.entries(methods).map(([name, params]) => ({
    name,
    kind: 'function' as const,
    params: toParams(params),
  }))
  return functionOf(exportPath, [], { kind: 'class', callables, constructorParams: [], ...more })
}

function toParams(names: string[]): ParamFact[] {
  return names.map((name) => ({ name: name.replace('?', ''), kind: 'plain', optional: name.endsWith('?') }))
}

const bareEnv = () => ({ PATH: process.env.PATH!, HOME: process.env.HOME! })

async function run(
  main: string,
  args: string[],
  root: string,
  { cwd = root, env = {} }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...bareEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = collect(child)
  const code = await new Promise<number | null>((end) => child.once('close', end))
  return { code, ...printed }
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => (printed[name] += text))
  return printed
}

function take(main: string, env: Record<string, string | undefined>, children: ChildProcess[]): Taking {
  const child = spawn(process.execPath, [main], {
    cwd: dirname(main),
    env: { ...bareEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return { child, printed: collect(child), exit: exitOf(child) }
}

function exitOf(child: ChildProcess): Taking['exit'] {
  return new Promise((done) => child.once('close', (code, signal) => done({ code, signal })))
}

function serve(main: string, env: Record<string, string> = {}, children: ChildProcess[]) {
  const child = spawn(process.execPath, [main], {
    cwd: dirname(main),
    env: { ...bareEnv(), FLASH_WORKER_CHANNEL: '3', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  children.push(child)
  const pipe = child.stdio[3] as Duplex
  pipe.on('error', () => {})
  const parent = createParent({
    send: (bytes) => void pipe.write(bytes),
    onData: (listener) => void pipe.on('data', listener),
  })
  const printed = collect(child)
  const exit = exitOf(child)
  parent.say({ t: 'start', root: dirname(main), endpoint: 'test', unnamed: [] })
  return { child, pipe, parent, printed, exit }
}
