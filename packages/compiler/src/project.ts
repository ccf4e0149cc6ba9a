import { AppError, type FunctionFact, type ResolvedEndpointConfig } from '@flash/protocol'
import { toPosix } from './locate.ts'
import { lettersOf } from './mention.ts'
import { withoutQuery } from './parse.ts'
import { type ClientEdge, readClientEdges } from './project/clients.ts'
import type { Demand } from './project/demand.ts'
import { createDemands } from './project/demands.ts'
import type { ProjectOptions } from './project/options.ts'
import { findProblems, findUnserved } from './project/problems.ts'
import { broken, createState, findSetup, known, readEndpoint } from './project/state.ts'
import { analyze, type ProjectChange, scan, update } from './project/update.ts'
import { createDescriber, type Describer } from './signature/describer.ts'
import type { ModuleAnalysis } from './types.ts'

/** Everything that the sources of a project say, kept up to date. Files are absolute, with `/`. */
export interface Project extends Describer {
  /** Reads all sources below the root. */
  scan(): Promise<void>
  /** Reads a file again that was made, edited or deleted, and whatever depends on it. */
  update(file: string): Promise<ProjectChange>
  /** The module with its facts, from memory when its text is known; throws what is wrong with it. `null`: nothing of ours in it. */
  analyze(code: string, file: string): Promise<ModuleAnalysis | null>
  hasFunctions(file: string): boolean
  /** Whether pages get another text of the file than the one it has. */
  hasStubs(file: string): boolean
  /** Texts other than our words, one of which is in every module that names what is ours: a barrel may rename `remote`. */
  aliases(): string[]
  /** Sorted by package, path and export. */
  functions(): FunctionFact[]
  get(id: string): FunctionFact | undefined
  /** The functions of one endpoint. */
  endpoint(name: string): FunctionFact[]
  /**
   * The config of an endpoint, kept until an edit.
   *
   * - `check`: a config that has to be executed is executed twice, for builds.
   * - throws `UNKNOWN_ENDPOINT`, and what is wrong with the config.
   */
  config(name: string, options?: { check?: boolean }): Promise<ResolvedEndpointConfig>
  /** Where the `setup` of a function is written, by the id of the function or the key of the setup. */
  setupSource(idOrKey: string): { file: string; start: number; end: number } | null
  /** What the worker of an endpoint needs of its files besides the functions, kept until an edit. */
  demand(name: string): Promise<Demand>
  /** Endpoints of others that a file has clients of. */
  clientEdges(file: string): Promise<ClientEdge[]>
  /** Files of which any worker that was asked about wants something else since the last time. */
  changedDemand(): Promise<string[]>
  /** What is wrong with files and names, all of it; configs are judged by `config` and `check`. */
  problems(): AppError[]
  warnings(): AppError[]
  /** `problems()` and what is wrong with any config, each executed twice if it has to be executed. */
  check(): Promise<AppError[]>
}

export function createProject(options: ProjectOptions): Project {
  const state = createState(options)
  const { host } = state.context
  // Edits are taken one after the other: each compares with what the one before left.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = last.then(run)
    last = result.catch(() => {})
    return result
  }
  const facts = () => known(state).map(({ fact }) => fact)
  const config: Project['config'] = (name, { check = false } = {}) => readEndpoint(state, name, check)
  const problems = () => [
    ...broken(state),
    ...findProblems(known(state), host),
    ...(options.hasServer === false ? findUnserved(known(state)) : []),
  ]
  const demands = createDemands(state)
  return {
    ...demands,
    ...createDescriber(state, options),
    scan: () => inTurn(() => scan(state)),
    update: (file) => inTurn(() => update(state, toPosix(withoutQuery(file)))),
    analyze: (code, file) => analyze(state, code, toPosix(withoutQuery(file))),
    hasFunctions: (file) => (state.files.get(toPosix(withoutQuery(file)))?.functions.length ?? 0) > 0,
    hasStubs: (file) => (state.files.get(toPosix(withoutQuery(file)))?.analysis ?? null) !== null,
    aliases: () => [...state.words].map(lettersOf),
    functions: facts,
    get: (id) => facts().find((fact) => fact.id === id),
    endpoint: (name) => facts().filter(({ endpoint }) => endpoint === name),
    config,
    async clientEdges(file) {
      const analysis = state.files.get(toPosix(withoutQuery(file)))?.analysis
      return analysis ? readClientEdges(state.context, analysis) : []
    },
    setupSource: (idOrKey) => findSetup(known(state), idOrKey),
    problems,
    warnings: () => [...state.files.values()].flatMap(({ analysis }) => analysis?.warnings ?? []),
    async check() {
      const names = new Set(facts().map(({ endpoint }) => endpoint))
      const results = await Promise.allSettled([...names].map((name) => config(name, { check: true })))
      const failed = results.flatMap((result) =>
        result.status === 'rejected' ? [toAppError(result.reason)] : [],
      )
      return [...problems(), ...failed]
    },
  }
}

function toAppError(reason: unknown): AppError {
  if (reason instanceof AppError) return reason
  throw reason
}
