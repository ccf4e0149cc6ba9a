import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'
import { AppError } from '@flash/protocol'
import { analyzeModule, plainAnalysis } from '../analyze.ts'
import { type Bundle, bundleModule } from '../evaluate/bundle.ts'
import { REPORT_GLOBAL } from '../evaluate/child.ts'
import { type Outcome, runModule } from '../evaluate/run.ts'
import type { KnownValues } from '../fold/known.ts'
import { parseModule } from '../parse.ts'
import { rewriteModule } from '../transform/rewrite.ts'
import type { CompilerHost, ModuleAnalysis } from '../types.ts'
import { type SchemaField, tellSchemas, type ToldSchema } from './tell.ts'

/** An expression that is a schema, or an object of several. */
export interface SchemaPlace {
  file: string
  start: number
  end: number
  fields: SchemaField[]
  isSingle: boolean
}

export type ToldSchemas = Partial<Record<SchemaField, ToldSchema>>

export interface SchemaContext {
  root: string
  host: CompilerHost
  known: KnownValues
  aliases: Iterable<string>
  /** How long running them may take: 10 s when omitted. */
  limitMs?: number
  /** The module with what is known of it. */
  analysisOf(file: string): ModuleAnalysis | null
  /** What programs gave before, by the hash of their text, so that an edit of something else runs nothing. */
  kept: Map<string, Promise<Outcome>>
}

/**
 * Runs what schemas are made of, in a process of its own, and asks them for their JSON Schema.
 *
 * One that cannot be run keeps the others from nothing: they are then run without it.
 */
export async function evaluateSchemas(context: SchemaContext, places: SchemaPlace[]): Promise<ToldSchemas[]> {
  if (places.length === 0) return []
  const result = await evaluate(context, places)
  if ('told' in result) return result.told
  if (places.length === 1) return [noteAll(places[0]!, result.failure)]
  const middle = places.length >> 1
  const first = await evaluateSchemas(context, places.slice(0, middle))
  return [...first, ...(await evaluateSchemas(context, places.slice(middle)))]
}

/** Bundlers write their errors for terminals. */
function noteAll({ fields }: SchemaPlace, failure: string): ToldSchemas {
  const note = stripVTControlCharacters(failure)
  return Object.fromEntries(fields.map((field) => [field, { note }]))
}

type Result = { told: ToldSchemas[] } | { failure: string }

async function evaluate(context: SchemaContext, places: SchemaPlace[]): Promise<Result> {
  try {
    const outcome = await runOnce(context, await bundle(context, places))
    const told = outcome.kind === 'values' ? outcome.values.told : undefined
    if (told && 'data' in told) return { told: JSON.parse(told.data as string) as ToldSchemas[] }
    return { failure: `its schema cannot be run: ${describe(outcome)}` }
  } catch (error) {
    return { failure: `its schema cannot be run: ${(error as Error).message}` }
  }
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'threw':
      return `${outcome.name}: ${outcome.message}`
    case 'timeout':
      return `it did not come to an end within ${outcome.limitMs / 1000} s`
    default:
      return 'it ended its process'
  }
}

const KEPT = 100

function runOnce({ root, known, limitMs, kept }: SchemaContext, { code, closed }: Bundle): Promise<Outcome> {
  const run = () => runModule({ code, root, env: known.variables, limitMs })
  if (!closed) return run()
  const key = createHash('sha256').update(code).digest('base64')
  const outcome = kept.get(key) ?? run()
  kept.delete(key)
  kept.set(key, outcome)
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
  return outcome
}

/** One program out of all the expressions, each in a copy of its module that holds only what it needs. */
async function bundle(context: SchemaContext, places: SchemaPlace[]): Promise<Bundle> {
  const copies = new Map(places.map((place, index) => [toCopy(place.file, index), place]))
  const { root, known } = context
  const host = withCopies(context.host, copies)
  return bundleModule({
    root,
    host,
    entry: toEntry(copies),
    file: places[0]!.file,
    cuts: new Map(),
    define: known.defines,
    rewrite: (code, file) => rewrite(context, copies.get(file), code, file),
    onMissing(specifier, importer) {
      throw new AppError('IMPORT_NOT_FOUND', {
        message: `${JSON.stringify(specifier)} in ${host.locate(importer).rootPath} is not there`,
      })
    },
  })
}

/** Beside the module, so that what it imports is found; with its ending, which tells the language. */
function toCopy(file: string, index: number): string {
  return file.replace(/(\.\w+)$/, `.flash-schema-${index}$1`)
}

type Copies = ReadonlyMap<string, SchemaPlace>

function withCopies(host: CompilerHost, copies: Copies): CompilerHost {
  const original = (file: string) => copies.get(file)?.file ?? file
  return {
    locate: (file) => host.locate(original(file)),
    load: (file) => host.load(original(file)),
    resolve: async (specifier, importer) =>
      copies.has(specifier) ? specifier : host.resolve(specifier, original(importer)),
  }
}

function toEntry(copies: Copies): string {
  const files = [...copies.keys()]
  const imports = files.map(
    (file, index) => `import { __flash_setup as value${index} } from ${JSON.stringify(file)}\n`,
  )
  const calls = [...copies.values()].map(
    ({ fields, isSingle }, index) => `tell(value${index}, ${JSON.stringify(fields)}, ${isSingle})`,
  )
  const tell = `const tell = ${tellSchemas.toString()}\n`
  return `${imports.join('')}${tell}${REPORT_GLOBAL}({ told: JSON.stringify(await Promise.all([${calls.join(', ')}])) })\n`
}

async function rewrite(
  { host, aliases, analysisOf }: SchemaContext,
  place: SchemaPlace | undefined,
  code: string,
  file: string,
) {
  if (place) {
    const { start, end } = place
    const analysis = analysisOf(place.file) ?? plainAnalysis(parseModule(code, place.file))
    return rewriteModule(analysis, { kind: 'setup', start, end })
  }
  if (!/\.[cm]?[jt]sx?$/.test(file)) return null
  const analysis = await analyzeModule(code, file, host, aliases)
  return analysis && rewriteModule(analysis, { kind: 'client', tag: () => '' })
}
