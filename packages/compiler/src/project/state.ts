import { realpathSync } from 'node:fs'
import { AppError, type FunctionFact, type ResolvedEndpointConfig } from '@flash/protocol'
import { checkConfig, type ConfigContext, type ConfigReading, resolveData } from '../config.ts'
import { createEvaluator } from '../evaluate.ts'
import { createKnownValues } from '../fold/known.ts'
import { createLocator, type Locator, toPosix } from '../locate.ts'
import { createSourceTree, type SourceTree } from '../scan.ts'
import type { ModuleAnalysis } from '../types.ts'
import { type CachedHost, createCachedHost } from './cached-host.ts'
import { compareFacts } from './facts.ts'
import type { ProjectOptions } from './options.ts'

/** One function with everything that reading told about it. */
export interface KnownFunction {
  fact: FunctionFact
  reading: ConfigReading
}

/** One file that can have to do with us. */
export interface FileState {
  file: string
  code: string
  /** With facts; `null` when nothing of ours is in it, or it has an error. */
  analysis: ModuleAnalysis | null
  functions: KnownFunction[]
  problem: AppError | null
  /** Words by which other modules name what it exports of ours. */
  words: string[]
  /** Other files that any of this depends on. */
  files: Set<string>
}

export interface ProjectState {
  tree: SourceTree
  locator: Locator
  context: ConfigContext & { host: CachedHost }
  files: Map<string, FileState>
  /** All words by which modules of the project name what is ours. */
  words: Set<string>
  /** Source files below the root. */
  sources: Set<string>
  configs: Map<string, Promise<ResolvedEndpointConfig>>
  sorted: KnownFunction[] | null
  /** What the last report of changes was about, by id. */
  reported: Map<string, KnownFunction>
}

export function createState(options: ProjectOptions): ProjectState {
  const root = toPosix(realpathSync(options.root))
  const locator = createLocator(root)
  const host = createCachedHost({ locate: locator.locate, ...options.host })
  const known = createKnownValues({ variables: process.env, ...options })
  const evaluator = createEvaluator({ root, host, known, limitMs: options.limitMs })
  const words = new Set<string>()
  return {
    tree: createSourceTree(root, options.ignore ?? ['/dist/']),
    locator,
    context: { host, known, evaluator, aliases: words },
    files: new Map(),
    words,
    sources: new Set(),
    configs: new Map(),
    sorted: null,
    reported: new Map(),
  }
}

/** All functions, in the order of their facts. */
export function known(state: ProjectState): KnownFunction[] {
  return (state.sorted ??= [...state.files.values()]
    .flatMap(({ functions }) => functions)
    .sort((a, b) => compareFacts(a.fact, b.fact)))
}

export function put(state: ProjectState, made: FileState): void {
  const before = state.files.get(made.file)
  // A function whose file cannot be read for the moment is still there, and calling it tells what is wrong.
  const functions = made.problem && before ? before.functions : made.functions
  state.files.set(made.file, { ...made, functions })
  forgetResults(state)
}

export function drop(state: ProjectState, file: string): void {
  state.files.delete(file)
  forgetResults(state)
}

export function forgetResults(state: ProjectState): void {
  state.sorted = null
  state.configs.clear()
}

/** What is wrong with files, by file. */
export function broken({ files }: ProjectState): AppError[] {
  const states = [...files.values()].sort((a, b) => (a.file < b.file ? -1 : 1))
  return states.flatMap(({ problem }) => problem ?? [])
}

export function readEndpoint(
  state: ProjectState,
  name: string,
  check: boolean,
): Promise<ResolvedEndpointConfig> {
  const key = `${name}\0${check}`
  const before = state.configs.get(key)
  if (before) return before
  const config = makeConfig(state, name, check)
  state.configs.set(key, config)
  return config
}

async function makeConfig(
  state: ProjectState,
  name: string,
  check: boolean,
): Promise<ResolvedEndpointConfig> {
  const functions = known(state)
  const found = functions.find(({ fact }) => fact.endpoint === name)
  if (!found) {
    const names = [...new Set(functions.map(({ fact }) => fact.endpoint))]
    throw new AppError('UNKNOWN_ENDPOINT', {
      message: `no endpoint is named ${JSON.stringify(name)}`,
      hint:
        names.length > 0
          ? `use one of: ${names.join(', ')}`
          : 'the project has no remote functions and no routes',
    })
  }
  const { reading } = found
  const { data, files } = await resolveData(reading, state.context, check)
  for (const file of files) state.files.get(reading.analysis.parsed.file)?.files.add(file)
  return checkConfig(data, reading, state.context.host)
}

/** Where the `setup` of a function is written. */
export function findSetup(
  functions: KnownFunction[],
  idOrKey: string,
): { file: string; start: number; end: number } | null {
  const isAsked = ({ fact }: KnownFunction) => fact.id === idOrKey || fact.setup === idOrKey
  const place = functions.find((one) => isAsked(one) && one.reading.setup)?.reading.setup?.place
  return place ? { file: place.module.file, start: place.node.start, end: place.node.end } : null
}
