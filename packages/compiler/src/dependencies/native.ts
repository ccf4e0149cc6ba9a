import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fieldOf, isFields, textEntriesOf, textOf, textsOf } from './fields.ts'
import { type PackageManifest, stampOf } from './manifest.ts'
import type { LockedPackage } from './types.ts'

/** The systems that a package says it is for. */
type Platform = Pick<LockedPackage, 'os' | 'cpu' | 'libc'>

/** Packages that find, fetch or compile the machine code of the one that depends on them. */
const helpers = new Set([
  '@mapbox/node-pre-gyp',
  'bindings',
  'cmake-js',
  'install-artifact-from-github',
  'nan',
  'napi-macros',
  'node-addon-api',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  'pkg-prebuilds',
  'prebuild-install',
])

const builders =
  /\b(?:node-gyp|node-pre-gyp|prebuild-install|prebuildify|pkg-prebuilds|cmake-js|cargo-cp-artifact|install-from-cache)\b/

/** Whether a lockfile says that a package has machine code of its own; it does not tell of all that have. */
export function isNativeLocked(locked: LockedPackage): boolean {
  return locked.isBuilt || needsPlatform(locked) || dependsOnNative(locked.dependencies, locked.optional)
}

const kept = new Map<string, { stamp: string | null; isNative: boolean }>()

/** Whether an installed package has machine code, as its `package.json` or a look into its folder tells. */
export function isNativeInstalled(manifest: PackageManifest): boolean {
  const stamp = stampOf(manifest.file)
  const before = kept.get(manifest.folder)
  if (before?.stamp === stamp) return before.isNative
  const isNative = saysNative(manifest.data) || hasMachineCode(manifest.folder)
  kept.set(manifest.folder, { stamp, isNative })
  return isNative
}

function saysNative(data: unknown): boolean {
  const optional = textEntriesOf(data, 'optionalDependencies').map(([name]) => name)
  const dependencies = textEntriesOf(data, 'dependencies').map(([name]) => name)
  return (
    fieldOf(data, 'gypfile') === true ||
    isFields(fieldOf(data, 'binary')) ||
    namesMachineCode(data) ||
    needsPlatform(platformOf(data)) ||
    dependsOnNative([...dependencies, ...optional], optional) ||
    installScripts.some((name) => builders.test(textOf(fieldOf(data, 'scripts'), name) ?? ''))
  )
}

const installScripts = ['preinstall', 'install', 'postinstall']

function namesMachineCode(data: unknown): boolean {
  const files = textsOf(data, 'files').filter((pattern) => !pattern.startsWith('!'))
  return [textOf(data, 'main') ?? '', ...files].some((path) => path.endsWith('.node'))
}

export function platformOf(data: unknown): Platform {
  return { os: textsOf(data, 'os'), cpu: textsOf(data, 'cpu'), libc: textsOf(data, 'libc') }
}

function needsPlatform({ os, cpu, libc }: Platform): boolean {
  return [...os, ...cpu, ...libc].some((value) => value !== 'any')
}

/**
 * Optional packages for one system each, as `@esbuild/linux-x64` is. Told by name, since not every lockfile has more than that.
 * One for a system, whatever the processor, is no part of the package: `fsevents` of chokidar, vite, rollup 3.
 */
function dependsOnNative(dependencies: string[], optional: string[]): boolean {
  return dependencies.some((name) => helpers.has(name)) || optional.some(isPlatformName)
}

const systems =
  /(?:^|[-_/@.])(?:linux|linuxmusl|linuxglibc|darwin|macos|mac|osx|win32|windows|win|freebsd|openbsd|netbsd|sunos|aix|android|openharmony|alpine)(?=$|[-_.])/
const processors =
  /(?:^|[-_/@.])(?:x64|x86_64|amd64|x86|arm64|aarch64|arm|armv6|armv7|armhf|ia32|i686|ppc64|ppc64le|riscv64|s390x|loong64|mips64el|universal|64|32)(?=$|[-_.])/

function isPlatformName(name: string): boolean {
  return systems.test(name) && processors.test(name)
}

/** Whether a package can be installed where workers run. */
export function runsOnWorkers({ os, cpu }: Pick<LockedPackage, 'os' | 'cpu'>): boolean {
  return allows(os, ['linux']) && allows(cpu, ['x64', 'arm64'])
}

/** As npm reads these lists: what is named, or all but what is named with `!`. */
function allows(list: string[], wanted: string[]): boolean {
  const denied = list.flatMap((value) => (value.startsWith('!') ? [value.slice(1)] : []))
  const named = list.filter((value) => !value.startsWith('!'))
  const rest = wanted.filter((value) => !denied.includes(value))
  return rest.some((value) => named.length === 0 || named.includes(value) || named.includes('any'))
}

/** A look is enough: packages with more folders than this are not made of machine code in their last one. */
const FOLDERS = 300
const DEPTH = 7

function hasMachineCode(folder: string): boolean {
  if (existsSync(join(folder, 'binding.gyp'))) return true
  const queue = [{ path: folder, depth: 0 }]
  for (let looked = 0; looked < queue.length && looked < FOLDERS; looked++) {
    const { path, depth } = queue[looked]!
    for (const entry of entriesIn(path)) {
      if (entry.isFile() && entry.name.endsWith('.node')) return true
      const isWorthALook = entry.isDirectory() && entry.name !== 'node_modules' && depth < DEPTH
      if (isWorthALook) queue.push({ path: join(path, entry.name), depth: depth + 1 })
    }
  }
  return false
}

function entriesIn(folder: string) {
  try {
    // The order of a folder is up to its file system; what is found may not be.
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}
