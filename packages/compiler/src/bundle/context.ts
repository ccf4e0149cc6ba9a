import type { Dependencies } from '../dependencies.ts'
import type { Locator } from '../locate.ts'
import type { Project } from '../project.ts'
import type { Calling } from '../types.ts'
import type { AssetStore } from './assets.ts'
import type { Defines } from './defines.ts'
import type { Engine } from './engine.ts'
import type { FileCache } from './files.ts'
import type { OwnModules } from './own.ts'
import type { EndpointPlan } from './plan.ts'
import type { SideEffects } from './side-effects.ts'
import type { Tsconfigs } from './tsconfig.ts'

/** What the bundles of one build share. */
export interface BuildContext {
  root: string
  project: Project
  engine: Engine
  own: OwnModules
  files: FileCache
  assets: AssetStore
  locator: Locator
  tsconfigs: Tsconfigs
  defines: Defines
  /** Text of modules that can have to do with us. */
  words: RegExp
  /** The host's resolver, asked once for each import. */
  host(specifier: string, importer: string): Promise<string | null>
  /** Files of packages of which is known that they go into bundles. */
  bundled: Set<string>
  createDependencies(plan: EndpointPlan): Dependencies
  /** The `package.json` that says how a file is read. */
  packageFileOf(file: string): string | null
  sideEffectsOf(file: string): SideEffects
  /** What the project knows of the functions in a file, as text. */
  factsOf(file: string): string
  plugins(): unknown[]
  minify: boolean
  calling: Calling
  inputOptions: Readonly<Record<string, unknown>>
}

/** What errors call a file: its path from the project root. */
export function shownPath({ locator }: Pick<BuildContext, 'locator'>, file: string): string {
  return locator.locate(file).rootPath
}
