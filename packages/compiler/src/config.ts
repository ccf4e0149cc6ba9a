import {
  AppError,
  isBalanced,
  parseEndpointConfig,
  type ResolvedEndpointConfig,
  type SourcePosition,
} from '@flash/protocol'
import { ownerOf } from './balanced/owner.ts'
import type { Cut } from './evaluate/bundle.ts'
import type { Evaluator } from './evaluate.ts'
import type { KnownValues } from './fold/known.ts'
import type { Folder } from './fold/step.ts'
import {
  type Entry,
  type Folded,
  nothing,
  type Place,
  type PlainData,
  toPlain,
  type Unknown,
} from './fold/values.ts'
import { findReferent, fold } from './fold.ts'
import { type Refusal, refuse } from './refuse.ts'
import type { CompilerHost, FoundFunction, ModuleAnalysis } from './types.ts'

/** Fields that are code: kept on the worker, absent from data. */
const codeFields = ['setup', 'input', 'output'] as const
type CodeField = (typeof codeFields)[number]
const codeKeys: ReadonlySet<string> = new Set(codeFields)

/** What reading alone tells about the config of one function. */
export interface ConfigReading {
  analysis: ModuleAnalysis
  found: FoundFunction
  /** Equal for functions that name the same constant. */
  key: string
  /** The constant that the config is, when it is one. */
  constant: { name: string; place: Place } | null
  /** `null`: it has none; `undefined`: that takes executing it. */
  name: string | null | undefined
  /** Fields that are code; `undefined`: whether it is there takes executing. */
  code: Record<CodeField, boolean | undefined>
  setup: { key: string; place: Place } | null
  plain: PlainData
  /** Code of configs in other modules, by file. */
  cuts: Map<string, Cut[]>
  /** Files other than the function's own that were read. */
  files: Set<string>
  /** A file that is needed cannot be read. */
  failure: AppError | null
}

export interface ConfigReader {
  host: CompilerHost
  known: KnownValues
}

export async function readConfig(
  { host, known }: ConfigReader,
  analysis: ModuleAnalysis,
  found: FoundFunction,
): Promise<ConfigReading> {
  const files = new Set<string>()
  const folder: Folder = { host, known, files }
  const place: Place = { module: analysis.parsed, node: found.config }
  try {
    const referent = await findReferent(folder, place)
    const folded = await fold(folder, place)
    const { module, node } = referent.place
    const entries = folded.kind === 'object' ? folded.entries : new Map<string, Entry>()
    const plain = await toPlain(folded, place, codeKeys)
    return {
      analysis,
      found,
      key: `${module.file}:${node.start}`,
      constant: referent.name === null ? null : { name: referent.name, place: referent.place },
      ...(await readFields(folded)),
      setup: await readSetup(folder, entries.get('setup'), plain, found),
      plain,
      cuts: findCuts(entries, analysis.parsed.file),
      files,
      failure: null,
    }
  } catch (error) {
    if (error instanceof AppError) return broken(analysis, found, place, files, error)
    throw error
  }
}

function broken(
  analysis: ModuleAnalysis,
  found: FoundFunction,
  place: Place,
  files: Set<string>,
  failure: AppError,
): ConfigReading {
  const plain: PlainData = { data: undefined, fields: new Map([['', place]]), unknowns: [] }
  const code = { setup: false, input: false, output: false }
  const own = { key: ownerOf(found).id, constant: null, name: null, code, setup: null, cuts: new Map() }
  return { analysis, found, ...own, plain, files, failure }
}

/** What a top-level field is; `null` when only executing tells whether it is there. */
async function readField(folded: Folded, key: string): Promise<Folded | null> {
  if (folded.kind === 'unknown') return null
  if (folded.kind !== 'object') return nothing
  const entry = folded.entries.get(key)
  return entry ? entry.fold() : folded.rest ? null : nothing
}

async function readFields(folded: Folded): Promise<Pick<ConfigReading, 'name' | 'code'>> {
  const isThere = async (key: CodeField) => {
    const field = await readField(folded, key)
    return field ? field.kind !== 'plain' || field.value !== undefined : undefined
  }
  const code = {
    setup: await isThere('setup'),
    input: await isThere('input'),
    output: await isThere('output'),
  }
  const name = await readField(folded, 'name')
  if (!name || name.kind === 'unknown') return { name: undefined, code }
  return { name: name.kind === 'plain' && typeof name.value === 'string' ? name.value : null, code }
}

/** Functions share a state when their `setup` is the same binding, or the same field of a constant. */
async function readSetup(
  folder: Folder,
  entry: Entry | undefined,
  { data }: PlainData,
  found: FoundFunction,
): Promise<ConfigReading['setup']> {
  if (!entry || !(data as { setup?: true }).setup) return null
  const { name, place } = await findReferent(folder, entry.place)
  const path = folder.host.locate(place.module.file).rootPath
  const binding = place.node.type === 'Identifier' ? place.module.bindings.get(place.node.name) : undefined
  const imported = binding?.kind === 'import' ? `${binding.source}#${binding.imported}` : null
  const own = name ?? entry.name
  return {
    key: imported ?? (own === null ? `${ownerOf(found).id}.setup` : `${path}#${own}`),
    place: entry.place,
  }
}

function findCuts(entries: Map<string, Entry>, ownFile: string): Map<string, Cut[]> {
  const cuts = new Map<string, Cut[]>()
  for (const key of codeFields) {
    const field = entries.get(key)?.field
    if (!field || field.module.file === ownFile) continue
    const { start, end } = field.node
    const { file } = field.module
    cuts.set(file, [...(cuts.get(file) ?? []), { start, end, text: `${key}: true` }])
  }
  return cuts
}

export interface ConfigContext extends ConfigReader {
  evaluator: Evaluator
  aliases: Iterable<string>
}

export interface ConfigData {
  data: unknown
  /** Files that executing it depends on. */
  files: string[]
}

/** The data of a config, executed when reading was not enough. */
export async function resolveData(
  reading: ConfigReading,
  context: ConfigContext,
  check: boolean,
): Promise<ConfigData> {
  const { plain, failure, code, analysis, found, cuts } = reading
  if (failure) throw failure
  const impossible = plain.unknowns.find(({ needs }) => needs === 'never')
  if (impossible) throw toNotStatic(impossible, context.host)
  const [first] = plain.unknowns
  if (!first) return { data: plain.data, files: [] }
  const { evaluator, aliases } = context
  const asked = { analysis, found: configHolder(found), place: first.place, cuts, aliases }
  const evaluated = await evaluator.evaluate(asked, check)
  const { data, files } = evaluated
  if (typeof data !== 'object' || data === null) return evaluated
  const present = codeFields.filter((key) => code[key]).map((key) => [key, true])
  return { data: { ...data, ...Object.fromEntries(present) }, files }
}

/** What has the config as its first argument: routes of one endpoint are executed once. */
function configHolder({ api, ...found }: FoundFunction): FoundFunction {
  return api ? { ...found, route: undefined, ...api } : found
}

const supported =
  'write it with literals, constants, members, spreads, templates and conditions on `define` or `import.meta.env`, or call a function that returns it'

function toNotStatic({ place, reason, hint = supported }: Unknown, host: CompilerHost): AppError {
  const { module, node } = place
  const text = module.code.slice(node.start, node.end).replaceAll(/\s+/g, ' ')
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text
  const message = `a config value cannot be decided before the code runs: \`${shown}\` ${reason}`
  return refuseAt(place, host, { code: 'CONFIG_NOT_STATIC', message, hint })
}

/** An error at a place of any module. */
export function refuseAt({ module, node }: Place, host: CompilerHost, refusal: Refusal): AppError {
  return refuse({ parsed: module, shown: host.locate(module.file).rootPath }, node, refusal)
}

/** A config with its defaults, or the error with the lines around the first wrong field. */
export function checkConfig(
  data: unknown,
  { plain, found }: ConfigReading,
  host: CompilerHost,
): ResolvedEndpointConfig {
  const places = new Map<SourcePosition, Place>()
  const locate = (path: string[]) => {
    const place = plain.fields.get(path.join('\0'))
    if (!place) return undefined
    const at = place.module.position(place.node.start, host.locate(place.module.file).rootPath)
    places.set(at, place)
    return at
  }
  try {
    return parseEndpointConfig(data, locate, { kind: isBalanced(found) ? 'balanced' : 'queue' })
  } catch (error) {
    const place = error instanceof AppError && error.at && places.get(error.at)
    if (!(error instanceof AppError) || !place) throw error
    const { code, message, at, data: problems } = error
    const isNameless = code === 'BAD_NAME' && (data as { name?: unknown } | undefined)?.name === undefined
    const hint = isNameless ? "add one: `endpoint({ name: 'items' })`" : error.hint
    const frame = place.module.frame(place.node.start, place.node.end)
    throw new AppError(code, { message, hint, at, frame, data: problems, cause: error.cause })
  }
}
