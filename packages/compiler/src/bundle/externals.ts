import { isBuiltin } from 'node:module'
import { relative } from 'node:path'
import { AppError, type ManifestExternal } from '@flash/protocol'
import type { Classified, Dependencies } from '../dependencies.ts'
import { toPosix } from '../locate.ts'
import type { Problems } from './problems.ts'
import { packageOf } from './specifier.ts'

export interface ExternalsOptions {
  root: string
  endpoint: string
  /** Names of the packages that the config lists. */
  listed: ReadonlySet<string>
  dependencies: Dependencies
  /** Files of packages that go into bundles unless they are listed; grows, and is shared by the endpoints of a build. */
  bundled: Set<string>
  problems: Problems
}

/** What one bundle leaves to be installed where it runs. */
export interface Externals {
  /**
   * Whether a package goes in. Throws what keeps it from going in and from staying out.
   *
   * - `file`: what the import leads to here, as far as it does.
   */
  classify(specifier: string, importer: string, file?: string): Promise<Classified>
  /** The package that imports it goes on without it. */
  skip(specifier: string): void
  /** What was asked so far and the answers, to compare with those of another time. */
  asked(): ReadonlyMap<string, Promise<Classified>>
  /**
   * Sorted by name: what the finished code imports, and what the config lists.
   *
   * - `imports`: what it may import besides what was asked for.
   */
  findUsed(code: string, imports: readonly string[]): Promise<ManifestExternal[]>
}

type External = Extract<Classified, { kind: 'external' }>

export function createExternals(options: ExternalsOptions): Externals {
  const { root, listed, dependencies, bundled, problems } = options
  const asked = new Map<string, Promise<Classified>>()
  const skipped = new Set<string>()
  const ask = (specifier: string, importer: string) => {
    const key = `${specifier}\0${importer}`
    const before = asked.get(key)
    if (before) return before
    const made = dependencies.classify(specifier, importer)
    asked.set(key, made)
    return made
  }
  const fromRoot = (specifier: string) => ask(specifier, `${root}/package.json`)
  return {
    async classify(specifier, importer, file) {
      const isListed = listed.has(packageOf(specifier) ?? specifier)
      if (file !== undefined && !isListed && bundled.has(file)) return { kind: 'bundle' }
      const answer = await ask(specifier, importer)
      if (file !== undefined && !isListed && answer.kind === 'bundle') bundled.add(file)
      return answer
    },
    skip: (specifier) => void skipped.add(specifier),
    asked: () => asked,
    async findUsed(code, imports) {
      const found = await answersOf(asked)
      const used = new Map<string, External>()
      const candidates = new Set([...found.map(({ specifier }) => specifier), ...imports])
      for (const specifier of candidates) {
        if (skipped.has(specifier) || !isImported(code, specifier)) continue
        const answer = found.find((one) => one.specifier === specifier)
        const external = answer?.external ?? (await leftByPlugin(specifier, fromRoot, problems))
        if (external) used.set(external.name, external)
        if (external) refuseTwoVersions(found, external.name, options)
      }
      for (const { name, version } of await dependencies.listed())
        used.set(name, used.get(name) ?? { kind: 'external', name, version, reason: 'listed' })
      return [...used.values()].sort(byName).map(({ name, version, reason }) => ({ name, version, reason }))
    },
  }
}

interface Answer {
  specifier: string
  importer: string
  external: External
}

async function answersOf(asked: ReadonlyMap<string, Promise<Classified>>): Promise<Answer[]> {
  const settled = await Promise.all(
    [...asked].map(async ([key, classified]) => {
      const answer = await classified.catch(() => null)
      const [specifier, importer] = key.split('\0') as [string, string]
      return answer?.kind === 'external' ? [{ specifier, importer, external: answer }] : []
    }),
  )
  return settled.flat().sort((one, other) => (one.importer < other.importer ? -1 : 1))
}

/** `from 'x'`, `import 'x'`, `import('x')`, and `require('x')` by whatever name; Node's own modules are there anyway. */
function isImported(code: string, specifier: string): boolean {
  if (packageOf(specifier) === null || isBuiltin(specifier)) return false
  const escaped = specifier.replace(/[^\w]/g, '\\$&')
  return new RegExp(`(?:\\b(?:from|import)\\s*|[\\w$)]\\(\\s*)(["'\`])${escaped}\\1`).test(code)
}

/** A plugin of the user says that it stays outside; somebody has to know its version. */
async function leftByPlugin(
  specifier: string,
  classify: (specifier: string) => Promise<Classified>,
  problems: Problems,
): Promise<External | null> {
  const answer = await classify(specifier)
  if (answer.kind === 'external') return answer
  if (answer.kind === 'absent') return null
  problems.add(
    new AppError('IMPORT_NOT_FOUND', {
      message: `a plugin of the worker build leaves ${JSON.stringify(specifier)} outside of the bundle, where nobody installs it`,
      hint: `list ${JSON.stringify(packageOf(specifier))} in \`dependencies\` of the endpoint, or take the plugin out`,
    }),
  )
  return null
}

function refuseTwoVersions(
  found: Answer[],
  name: string,
  { root, endpoint, problems }: ExternalsOptions,
): void {
  const importers = new Map<string, string>()
  for (const { external, importer } of found)
    if (external.name === name && !importers.has(external.version)) importers.set(external.version, importer)
  if (importers.size < 2) return
  const places = [...importers].map(
    ([version, importer]) => `${version} from ${toPosix(relative(root, importer))}`,
  )
  problems.add(
    new AppError('DEPENDENCY_TWICE', {
      message: `the worker of "${endpoint}" imports two versions of ${name}: ${places.join(' and ')}`,
      hint: `bring both to one version, or list ${name} with a version in \`dependencies\` of the endpoint`,
    }),
  )
}

function byName(one: External, other: External): number {
  return one.name < other.name ? -1 : 1
}
