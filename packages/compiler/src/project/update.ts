import { AppError, type FunctionFact } from '@flash/protocol'
import { analyzeModule } from '../analyze.ts'
import {
  type ConfigContext,
  type ConfigData,
  type ConfigReading,
  readConfig,
  resolveData,
} from '../config.ts'
import { mayContain } from '../detect.ts'
import type { FoundFunction, ModuleAnalysis } from '../types.ts'
import { findExportWords, readCandidates, readMentions } from './discover.ts'
import { needsExecution, toFact } from './facts.ts'
import {
  drop,
  type FileState,
  forgetResults,
  known,
  type KnownFunction,
  type ProjectState,
  put,
} from './state.ts'

/** What an edit did. */
export interface ProjectChange {
  appeared: FunctionFact[]
  /** Something other than their position. */
  changed: FunctionFact[]
  vanished: FunctionFact[]
  /** Names of endpoints whose config may not be what it was. */
  endpoints: string[]
}

export async function scan(state: ProjectState): Promise<void> {
  await scanAgain(state)
  report(state)
}

/** What was found before stays known until it is found again or not. */
async function scanAgain(state: ProjectState): Promise<void> {
  const { context, files, locator, sources, words } = state
  const list = await state.tree.list()
  context.host.forgetAll()
  locator.forget()
  state.sources = new Set(list)
  const done = await readFound(state, await readCandidates(list))
  for (const { file, code } of files.values()) {
    if (done.has(file)) continue
    if (sources.has(file) || state.sources.has(file)) drop(state, file)
    else await read(state, file, code)
  }
  const used = new Set([...files.values()].flatMap((one) => one.words))
  for (const word of words) if (!used.has(word)) words.delete(word)
}

/** Reads files, then those that use a name under which one of them exports what is ours, until there is no new name. */
async function readFound(state: ProjectState, found: Map<string, string>): Promise<Set<string>> {
  const done = new Set<string>()
  const words = new Set<string>()
  for (let next = found; next.size > 0; ) {
    const fresh = new Set<string>()
    for (const [file, code] of next) {
      done.add(file)
      for (const word of (await read(state, file, code)).words) if (!words.has(word)) fresh.add(word)
    }
    for (const word of fresh) {
      words.add(word)
      state.words.add(word)
    }
    const rest = [...state.sources].filter((file) => !done.has(file))
    next = fresh.size > 0 ? await readMentions(rest, fresh) : new Map()
  }
  return done
}

/** Reads a file with everything it depends on and remembers the result. */
async function read(state: ProjectState, file: string, code: string): Promise<FileState> {
  const made = await readFile(state, file, code)
  put(state, made)
  return made
}

async function readFile(state: ProjectState, file: string, code: string): Promise<FileState> {
  const { host } = state.context
  const words = await findExportWords(code, file, host)
  const made: FileState = {
    file,
    code,
    analysis: null,
    functions: [],
    problem: null,
    words,
    files: new Set(),
  }
  const analysis = await analyzeModule(code, file, host, state.words).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    made.problem = error
    return null
  })
  if (!analysis) return made
  for (const dependency of analysis.dependencies) made.files.add(dependency)
  const executed: Executed = new Map()
  for (const found of analysis.functions)
    made.functions.push(await readFunction(state, made, { analysis, found, executed }))
  made.analysis = { ...analysis, facts: made.functions.map(({ fact }) => fact) }
  return made
}

/** Configs by where they are written: routes share one, and executing takes a process. */
type Executed = Map<string, Promise<ConfigData | null>>

interface Asked {
  analysis: ModuleAnalysis
  found: FoundFunction
  executed: Executed
}

async function readFunction(
  { context }: ProjectState,
  { files }: FileState,
  { analysis, found, executed }: Asked,
): Promise<KnownFunction> {
  const reading = await readConfig(context, analysis, found)
  for (const file of reading.files) files.add(file)
  if (!needsExecution(reading)) return { reading, fact: toFact(reading, context.host) }
  const config = await (executed.get(reading.key) ?? execute(context, reading, executed))
  for (const file of config?.files ?? []) files.add(file)
  return { reading, fact: toFact(reading, context.host, config?.data) }
}

/** What is wrong with the config is told by whoever asks for it; until then the function has the name of its place. */
function execute(context: ConfigContext, reading: ConfigReading, executed: Executed) {
  const config = resolveData(reading, context, false).catch((error: unknown) => {
    if (error instanceof AppError) return null
    throw error
  })
  executed.set(reading.key, config)
  return config
}

export async function analyze(
  state: ProjectState,
  code: string,
  file: string,
): Promise<ModuleAnalysis | null> {
  const before = state.files.get(file)
  if (before?.code === code) return resultOf(before)
  if (!mayContain(code, state.words)) return null
  const made = await readFile(state, file, code)
  // Text without functions may be a part of the file, or what another plugin made of it; the file itself is read by `update`.
  const isStill = state.files.get(file) === before
  if (isStill && (made.analysis || made.problem)) put(state, made)
  return resultOf(made)
}

function resultOf({ analysis, problem }: FileState): ModuleAnalysis | null {
  if (problem) throw problem
  return analysis
}

export async function update(state: ProjectState, file: string): Promise<ProjectChange> {
  const { host } = state.context
  host.forgetFile(file)
  forgetResults(state)
  if (/\/(?:\.gitignore|package\.json)$/.test(file)) await scanAgain(state)
  else await readAgain(state, file, await host.load(file))
  return report(state)
}

async function readAgain(state: ProjectState, file: string, code: string | null): Promise<void> {
  const { files, sources, context } = state
  const words = wordsOf(state, file)
  const wasThere = sources.has(file) || files.has(file)
  const comesOrGoes = code === null ? wasThere : !wasThere
  if (comesOrGoes) context.host.forgetResolutions()
  await readOne(state, file, code)
  if (wordsOf(state, file) !== words) return scanAgain(state)
  for (const dependant of files.values()) {
    // Where nothing was found although the words are there, what it imports may have changed.
    const isAffected = comesOrGoes || dependant.files.has(file) || dependant.analysis === null
    if (dependant.file !== file && isAffected) await read(state, dependant.file, dependant.code)
  }
}

function wordsOf({ files }: ProjectState, file: string): string {
  return files.get(file)?.words.join() ?? ''
}

async function readOne(state: ProjectState, file: string, code: string | null): Promise<void> {
  const { files, sources, tree, words } = state
  const isSource = code !== null && (await tree.includes(file))
  if (isSource) sources.add(file)
  else sources.delete(file)
  const isKnown = isSource || files.has(file)
  if (code !== null && isKnown && mayContain(code, words)) await read(state, file, code)
  else drop(state, file)
}

/** Compares with what was reported last, whoever read the files in between. */
function report(state: ProjectState): ProjectChange {
  const now = new Map(known(state).map((one) => [one.fact.id, one]))
  const change: ProjectChange = { appeared: [], changed: [], vanished: [], endpoints: [] }
  const endpoints = new Set<string>()
  for (const [id, one] of now) {
    const old = state.reported.get(id)
    if (!old) change.appeared.push(one.fact)
    else if (shapeOf(old) !== shapeOf(one)) change.changed.push(one.fact)
    for (const { fact } of old ? changedConfigs(old, one) : [one]) endpoints.add(fact.endpoint)
  }
  for (const [id, { fact }] of state.reported) {
    if (now.has(id)) continue
    change.vanished.push(fact)
    endpoints.add(fact.endpoint)
  }
  state.reported = now
  return { ...change, endpoints: [...endpoints].sort() }
}

function shapeOf({ fact }: KnownFunction): string {
  return JSON.stringify({ ...fact, at: null })
}

function changedConfigs(old: KnownFunction, now: KnownFunction): KnownFunction[] {
  if (old.reading === now.reading) return []
  const before = configOf(old)
  const isSame = before !== null && before === configOf(now) && old.fact.endpoint === now.fact.endpoint
  return isSame ? [] : [old, now]
}

/** `null`: only executing it tells. */
function configOf({ reading: { plain, failure } }: KnownFunction): string | null {
  const isRead = plain.unknowns.length === 0 && !failure
  return isRead
    ? JSON.stringify(plain.data, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    : null
}
