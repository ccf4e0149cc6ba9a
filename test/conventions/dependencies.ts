import { importsOf, isCode, type Source } from './source.ts'

interface Manifest {
  name?: string
  engines?: { node?: string }
  exports?: unknown
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

interface LockedPackage {
  version?: string
  resolved?: string
  link?: boolean
  optionalDependencies?: Record<string, string>
}

interface Lock {
  packages: Record<string, LockedPackage>
}

export const readManifests = (sources: Source[]) =>
  sources
    .filter(({ file }) => /(?:^|\/)package\.json$/.test(file))
    .map(({ file, text }) => ({ file, manifest: JSON.parse(text) as Manifest }))

/** Dependencies are released versions; packages of the workspace are whatever is there. */
export function findLooseVersions(sources: Source[]): string[] {
  const manifests = readManifests(sources)
  const own = new Set(manifests.map(({ manifest }) => manifest.name))
  return manifests.flatMap(({ file, manifest }) =>
    Object.entries(dependenciesOf(manifest)).flatMap(([name, range]) => {
      const isRight = own.has(name) ? range === '*' : /^(?:[\^~]|>=)?\d+\.\d+\.\d+$/.test(range)
      return isRight ? [] : [`${file}: ${name} "${range}"`]
    }),
  )
}

/** The lockfile names versions from whatever registry is set up: no addresses, no archives, no git. */
export function findUnreleased(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([path, { version, resolved, link }]) => {
    if (!path.includes('node_modules/')) return []
    if (link) return /^[\w./-]+$/.test(resolved ?? '') ? [] : [`${path}: ${resolved}`]
    return resolved === undefined && /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/.test(version ?? '')
      ? []
      : [`${path}: ${resolved ?? version}`]
  })
}

/** Programs for other platforms are in the lockfile too: `npm ci` refuses one without them, on every platform. */
export function findMissingPlatforms({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
      .map((name) => `${path}: ${name}`),
  )
}

/** Where Node looks for what a package imports: `a/node_modules/b/`, `a/`, ``. */
function foldersAbove(path: string): string[] {
  if (path === '') return ['']
  return [`${path}/`, ...foldersAbove(path.replace(/(?:^|\/)(?:node_modules\/)?(?:@[^/]+\/)?[^/]+$/, ''))]
}

/** Imports below a package's name are those that its `exports` offer. */
export function findDeepImports(sources: Source[], exportsOf: (name: string) => unknown): string[] {
  return sources.filter(isCode).flatMap((source) =>
    importsOf(source).flatMap((specifier) => {
      if (specifier.includes('node_modules/')) return [`${source.file}: "${specifier}"`]
      const [, name, rest] = /^((?:@[\w.-]+\/)?[\w-][\w.-]*)\/([^?]+)/.exec(specifier) ?? []
      if (!name || !rest) return []
      return isOffered(exportsOf(name), `./${rest}`) ? [] : [`${source.file}: "${specifier}"`]
    }),
  )
}

function isOffered(offered: unknown, path: string): boolean {
  if (typeof offered !== 'object' || offered === null) return false
  return Object.entries(offered).some(([key, target]) => {
    if (target === null) return false
    const [before, after] = key.split('*')
    return after === undefined ? key === path : path.startsWith(before!) && path.endsWith(after)
  })
}

/** Every manifest that says which Node it runs on says the same. */
export function findEngineDifferences(sources: Source[]): string[] {
  const said = readManifests(sources).flatMap(({ file, manifest }) => {
    const node = manifest.engines?.node
    return node === undefined ? [] : [{ file, node }]
  })
  return said.filter(({ node }) => node !== said[0]!.node).map(({ file, node }) => `${file}: "${node}"`)
}

function dependenciesOf(manifest: Manifest): Record<string, string> {
  return {
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  }
}
