import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '@flash/protocol'
import { analyzeModule } from './analyze.ts'
import { bundleModule, type Bundle, type Cut } from './evaluate/bundle.ts'
import { REPORT_GLOBAL } from './evaluate/child.ts'
import { atPlace, toFailure } from './evaluate/failure.ts'
import { type Outcome, runModule } from './evaluate/run.ts'
import type { KnownValues } from './fold/known.ts'
import type { Place } from './fold/values.ts'
import { type ParsedModule, parseModule } from './parse.ts'
import { refuse } from './refuse.ts'
import { rewriteModule } from './transform/rewrite.ts'
import type { CompilerHost, FoundFunction, ModuleAnalysis } from './types.ts'

export interface EvaluatorOptions {
  root: string
  host: CompilerHost
  known: KnownValues
  /** 10 s when omitted. */
  limitMs?: number
}

interface Evaluation {
  analysis: ModuleAnalysis
  found: FoundFunction
  /** What cannot be read and has to be executed. */
  place: Place
  cuts: ReadonlyMap<string, readonly Cut[]>
  aliases: Iterable<string>
}

interface Evaluated {
  data: unknown
  /** Files of the project that the result depends on. */
  files: string[]
}

export interface Evaluator {
  /**
   * Runs what a config is made of, in a process of its own, and returns its value.
   *
   * - `check`: runs it twice and compares.
   * - throws `CONFIG_FAILED`, `CONFIG_NOT_STATIC`, `NON_DETERMINISTIC_CONFIG`, `DEPENDENCY_NOT_INSTALLED`, `IMPORT_NOT_FOUND`,
   *   `SYNTAX_ERROR`, each at the line of the source.
   */
  evaluate(evaluation: Evaluation, check: boolean): Promise<Evaluated>
}

export function createEvaluator({ root, host, known, limitMs }: EvaluatorOptions): Evaluator {
  /** What a text gave, so that an edit of something else runs nothing. */
  const kept = new Map<string, { code: string; outcome: Promise<Outcome> }>()
  const run = (code: string) => runModule({ code, root, env: known.variables, limitMs })
  const runOnce = ({ code, closed }: Bundle, id: string) => {
    const before = kept.get(id)
    if (closed && before?.code === code) return before.outcome
    const outcome = run(code)
    kept.set(id, { code, outcome })
    return outcome
  }
  return {
    async evaluate(evaluation, check) {
      const { place, found } = evaluation
      const bundle = await bundleConfig(evaluation, { root, host, known })
      const context = { root, host, place, bundle }
      const outcome = await runOnce(bundle, found.id)
      if (outcome.kind !== 'values') throw await toFailure(outcome, context)
      if (check && JSON.stringify(await run(bundle.code)) !== JSON.stringify(outcome)) {
        throw atPlace(context, {
          code: 'NON_DETERMINISTIC_CONFIG',
          message: 'evaluating the config twice gave two different results',
          hint: 'leave out what changes from run to run: the time, random numbers, what lies on this machine',
        })
      }
      const value = outcome.values[found.id]!
      if ('data' in value) return { data: value.data, files: bundle.files }
      const name = value.path.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join('')
      throw atPlace(context, {
        code: 'CONFIG_NOT_STATIC',
        message: `the config${name} ${value.what}, which is no plain data`,
        hint: 'use texts, numbers, booleans, lists and plain objects; only `setup`, `input` and `output` may be code',
      })
    },
  }
}

async function bundleConfig(
  { analysis, found, place, cuts, aliases }: Evaluation,
  { root, host, known }: Pick<EvaluatorOptions, 'root' | 'host' | 'known'>,
): Promise<Bundle> {
  const { file } = analysis.parsed
  const rewrite = async (code: string, id: string) => {
    if (id === file) return rewriteModule({ ...analysis, functions: [found] }, { kind: 'index' })
    if (!/\.[cm]?[jt]sx?$/.test(id)) return null
    // The bundler would tell of a syntax error as well, but without our position.
    parseModule(code, id, host.locate(id).rootPath)
    const other = await analyzeModule(code, id, host, aliases)
    return other && rewriteModule(other, { kind: 'client', tag: () => '' })
  }
  const entry = `import { __flash_configs } from ${JSON.stringify(file)}\n${REPORT_GLOBAL}(__flash_configs)\n`
  try {
    return await bundleModule({
      root,
      host,
      entry,
      file,
      cuts,
      rewrite,
      define: known.defines,
      onMissing: (specifier, importer) => {
        throw toMissing(specifier, importer, host)
      },
    })
  } catch (error) {
    if (error instanceof AppError) throw error
    const { errors, message: all } = error as Error & { errors?: { message: string }[] }
    const message = errors?.[0]?.message ?? all
    throw atPlace(
      { host, place },
      {
        code: 'CONFIG_FAILED',
        message: `the modules that the config needs cannot be put together: ${message}`,
        hint: 'correct what it says, or write the value out',
      },
    )
  }
}

function toMissing(specifier: string, importer: string, host: CompilerHost): AppError {
  const shown = host.locate(importer).rootPath
  const parsed = parseModule(readFileSync(importer, 'utf8'), importer, shown)
  const node = findImport(parsed, specifier) ?? parsed.program
  const source = { parsed, shown }
  if (/^[./]/.test(specifier)) {
    return refuse(source, node, {
      code: 'IMPORT_NOT_FOUND',
      message: `the config needs ${JSON.stringify(specifier)}, and there is no such file`,
      hint: 'correct the path of the import',
    })
  }
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0]
  const listed = isListed(name, importer)
  return refuse(source, node, {
    code: 'DEPENDENCY_NOT_INSTALLED',
    message: `the config needs the package ${JSON.stringify(name)}, which is not installed and ${listed ? 'is listed' : 'is not listed'} in package.json`,
    hint: listed ? 'run `npm install`' : `run \`npm install ${name}\`, or write the value out`,
  })
}

function findImport({ program }: ParsedModule, specifier: string) {
  return program.body.find((node) => 'source' in node && node.source?.value === specifier)
}

function isListed(name: string, importer: string): boolean {
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && readFileSync(file, 'utf8').includes(JSON.stringify(name))) return true
    if (dirname(folder) === folder) return false
  }
}
