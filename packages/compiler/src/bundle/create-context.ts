import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createDependencies } from '../dependencies.ts'
import { findRolldown } from '../evaluate/rolldown.ts'
import { packageName } from '../follow.ts'
import { createLocator, toPosix } from '../locate.ts'
import { createAssetStore } from './assets.ts'
import type { BuildContext } from './context.ts'
import { createDefines } from './defines.ts'
import type { Engine } from './engine.ts'
import { createFileCache } from './files.ts'
import { LIMIT_BYTES } from './limits.ts'
import type { WorkerBuildOptions } from './options.ts'
import { findOwnModules } from './own.ts'
import { bundleWithRolldown } from './rolldown.ts'
import { bundleWithRollup } from './rollup.ts'
import { createSideEffects } from './side-effects.ts'
import { createTsconfigs } from './tsconfig.ts'

/** Made anew for each build: it remembers what it read. */
export function createContext(options: WorkerBuildOptions): BuildContext {
  const { project, plugins = () => [], minify = false, inputOptions = {} } = options
  // What imports lead to has its real name.
  const root = toPosix(realpathSync(options.root))
  const hosted = new Map<string, Promise<string | null>>()
  const files = createFileCache()
  const packageFileOf = createFinder()
  return {
    root,
    project,
    engine: chooseEngine(options),
    own: findOwnModules(root),
    files,
    assets: createAssetStore(options.limitBytes ?? LIMIT_BYTES),
    locator: createLocator(root),
    tsconfigs: createTsconfigs(),
    defines: createDefines(options),
    words: wordTest(project.aliases()),
    host(specifier, importer) {
      const key = `${specifier}\0${importer}`
      const before = hosted.get(key)
      if (before) return before
      const answer = options.resolve(specifier, importer).then((file) => file && toPosix(file))
      hosted.set(key, answer)
      return answer
    },
    bundled: new Set(),
    createDependencies: ({ name, config }) =>
      createDependencies({ root, endpoint: name, listed: config.dependencies }),
    packageFileOf,
    sideEffectsOf: createSideEffects(files, packageFileOf),
    factsOf: (file) => JSON.stringify(project.functions().filter((fact) => fact.file === file)),
    plugins,
    minify,
    calling: { app: options.app, key: options.workerKey, settings: options.calls },
    inputOptions,
  }
}

function chooseEngine({ root, engine }: WorkerBuildOptions): Engine {
  if (engine === 'rollup') return bundleWithRollup
  if (engine === 'rolldown') return bundleWithRolldown
  try {
    findRolldown(root)
    return bundleWithRolldown
  } catch {
    return bundleWithRollup
  }
}

/** `aliases`: names under which the project's own modules pass `remote` on. */
function wordTest(aliases: string[]): RegExp {
  const escaped = aliases.map((word) => word.replace(/[^\w]/g, '\\$&'))
  // Names may be written with escapes: `\u0072emote`.
  return new RegExp([packageName, '\\b(?:remote|endpoint)\\b', '\\\\[ux]', ...escaped].join('|'))
}

function createFinder(): (file: string) => string | null {
  const known = new Map<string, string | null>()
  const find = (folder: string): string | null => {
    const before = known.get(folder)
    if (before !== undefined) return before
    const file = join(folder, 'package.json')
    const above = dirname(folder)
    const found = existsSync(file) ? toPosix(file) : above === folder ? null : find(above)
    known.set(folder, found)
    return found
  }
  return (file) => find(dirname(file))
}
