import { dirname } from 'node:path'
import type { Dependencies } from '../dependencies.ts'
import { isInstalled } from '../locate.ts'
import type { Bundle } from './bundle.ts'
import type { BuildContext } from './context.ts'
import { plainSource } from './load.ts'
import type { Notes } from './notes.ts'
import type { EndpointPlan } from './plan.ts'

/** Everything that a bundle was made from, to tell later whether another one would be the same. */
export interface Inputs {
  plan: string
  /** Hash by file; `null` where there was none. */
  files: ReadonlyMap<string, string | null>
  /** The same for files that are no sources: they lie beside the bundle, or a plugin reads them. */
  assets: ReadonlyMap<string, string | null>
  /** What the project knew of functions, by file. */
  facts: ReadonlyMap<string, string>
  /** TypeScript configurations, by a file that each is for. */
  settings: ReadonlyMap<string, string | null>
  hosted: Notes['hosted']
  /** Whether packages go in, by specifier and importer. */
  classified: ReadonlyMap<string, string>
}

export async function recordInputs(
  context: BuildContext,
  plan: EndpointPlan,
  { notes, files, externals }: Pick<Bundle, 'notes' | 'files' | 'externals'>,
): Promise<Inputs> {
  const packages = files.flatMap((file) => context.packageFileOf(file) ?? [])
  const sources = files.filter((file) => plainSource.test(file))
  const configs = oneOfEachFolder(context.root, sources).flatMap(
    (file) => context.tsconfigs.settings(file)?.file ?? [],
  )
  // What is no source may be large, and is read in pieces.
  const beside = [
    ...files.filter((file) => !plainSource.test(file)),
    ...Array.from(notes.assets.values(), ({ asset }) => asset.file),
  ]
  const absent = notes.absent.map(({ url }) => url.file)
  return {
    plan: planKey(plan),
    files: readEach([...sources, ...packages, ...configs], context.files.hash),
    assets: await readAll([...beside, ...absent], hashAsset(context)),
    facts: readEach([...notes.rewritten.keys()], context.factsOf),
    settings: readEach(oneOfEachFolder(context.root, sources), settingsOf(context)),
    hosted: notes.hosted,
    classified: await readAll([...externals.asked().keys()], (key) => answerOf(externals, key)),
  }
}

/** Whether a bundle made now would be the same. */
export async function isCurrent(context: BuildContext, plan: EndpointPlan, inputs: Inputs): Promise<boolean> {
  const dependencies = context.createDependencies(plan)
  if (inputs.plan !== planKey(plan)) return false
  return (
    isEach(inputs.facts, context.factsOf) &&
    isEach(inputs.files, context.files.hash) &&
    isEach(inputs.settings, settingsOf(context)) &&
    (await isSame(inputs.assets, hashAsset(context))) &&
    (await isSame(inputs.hosted, (key) => context.host(...splitKey(key)))) &&
    isSame(inputs.classified, (key) => answerOf(dependencies, key))
  )
}

function planKey({ config, info, demand }: EndpointPlan): string {
  const wanted = [...demand].map(([file, names]) => [file, [...names].sort()])
  return JSON.stringify([config, info, wanted])
}

function hashAsset({ assets }: BuildContext) {
  return async (file: string) => (await assets.take(file))?.hash ?? null
}

/** The same configuration holds for all of them, as good as always. */
function oneOfEachFolder(root: string, files: string[]): string[] {
  const own = files.filter((file) => !isInstalled(root, file))
  return [...new Map(own.map((file) => [dirname(file), file])).values()]
}

function settingsOf({ tsconfigs }: BuildContext) {
  return (file: string) => tsconfigs.settings(file)?.text ?? null
}

async function answerOf(dependencies: Pick<Dependencies, 'classify'>, key: string): Promise<string> {
  try {
    return JSON.stringify(await dependencies.classify(...splitKey(key)))
  } catch (error) {
    return String(error)
  }
}

function splitKey(key: string): [specifier: string, importer: string] {
  return key.split('\0') as [string, string]
}

function readEach<T>(keys: string[], read: (key: string) => T): Map<string, T> {
  return new Map(Array.from(new Set(keys), (key) => [key, read(key)]))
}

function isEach<T>(before: ReadonlyMap<string, T>, read: (key: string) => T): boolean {
  for (const [key, value] of before) if (read(key) !== value) return false
  return true
}

async function readAll<T>(keys: string[], read: (key: string) => Promise<T>): Promise<Map<string, T>> {
  return new Map(await Promise.all(Array.from(new Set(keys), async (key) => [key, await read(key)] as const)))
}

async function isSame<T>(
  before: ReadonlyMap<string, T>,
  read: (key: string) => Promise<T>,
): Promise<boolean> {
  const now = await readAll([...before.keys()], read)
  return [...before].every(([key, value]) => now.get(key) === value)
}
