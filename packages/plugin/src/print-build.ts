import type { WorkerBuild } from '@flash/compiler'
import type { Manifest, ManifestEndpoint, ManifestFunction } from '@flash/protocol'
import type { PluginContext } from './context.ts'
import { printError } from './host-error.ts'
import { alignRows } from './table.ts'

/** Each endpoint with what its bundle weighs, and what of it the app has not. */
export function printBuild(context: PluginContext, { manifest, rebuilt, warnings }: WorkerBuild): void {
  const { print } = context
  const names = Object.keys(manifest.endpoints)
  if (names.length === 0 || rebuilt.length === 0) return
  print('')
  for (const line of tableOf(manifest, rebuilt)) print(`  ${line}`)
  print(
    `  flash  ${count(rebuilt.length, 'worker bundle')} in .flash/build${context.hasPreview ? ', run with: vite preview' : ''}`,
  )
  const kept = keptOut(context, manifest)
  if (kept) print(`         kept out of the app: ${kept}`)
  for (const warning of [...context.project.warnings(), ...warnings]) print(printError(warning))
  if (!context.setup.serverOutput) print('         serve pages and functions together with: flash start')
}

function tableOf({ endpoints }: Manifest, rebuilt: string[]): string[] {
  const rows = rebuilt.map((name) => rowOf(name, endpoints[name]!))
  return alignRows([['endpoint', 'functions', 'size', 'gzip', 'externals', 'hash'], ...rows], [2, 3])
}

function rowOf(name: string, { functions, bundle, externals }: ManifestEndpoint): string[] {
  return [
    name,
    shorten(functions.map(nameOf)),
    toKilobytes(bundle.bytes),
    toKilobytes(bundle.gzipBytes),
    shorten(externals.map((external) => `${external.name}@${external.version}`)) || '–',
    bundle.hash.slice(0, 12),
  ]
}

/** A route by what it answers, a web app by what it does not leave to others. */
function nameOf({ exportPath, route, kind }: ManifestFunction): string {
  if (route) return `${route.method} ${route.path}`
  return kind === 'web' ? `${exportPath} (ANY /*)` : exportPath
}

/** Modules and packages that workers have and pages have not. */
function keptOut({ builder, clientModules, root }: PluginContext, { endpoints }: Manifest): string {
  const isConfig = (file: string) => /\/(?:package|tsconfig[^/]*)\.json$/.test(file)
  const own = builder
    .inputs()
    .filter((file) => file.startsWith(`${root}/`) && !clientModules.has(file) && !isConfig(file))
  const packages = new Set(
    Object.values(endpoints).flatMap(({ externals }) => externals.map(({ name }) => name)),
  )
  const files = own.filter((file) => !file.includes('/node_modules/')).length
  const parts = [files > 0 && count(files, 'module'), packages.size > 0 && shorten([...packages].sort())]
  return parts.filter(Boolean).join(', ')
}

const SHOWN = 4

function shorten(names: string[]): string {
  const shown = names.slice(0, SHOWN).join(', ')
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown
}

function toKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
