import type { Project } from '../project.ts'

export type BundleEngine = 'rolldown' | 'rollup'

export interface WorkerBuildOptions {
  /** Absolute, with `/`. */
  root: string
  project: Project
  /** The host's resolver: an absolute file, another specifier that stands for this one, or `null` when it knows nothing. */
  resolve(specifier: string, importer: string): Promise<string | null>
  /** The project's name on the account. */
  app: string
  /** Name of the variable with the key by which endpoints call each other. */
  workerKey?: string
  /** How they do, as their stubs take it. */
  calls?: object
  mode: string
  /** As in Vite: text is an expression, anything else is the value itself. */
  define: Record<string, unknown>
  /** `import.meta.env` of the host: public values only. */
  env: Record<string, unknown>
  /** `<root>/.flash/build`. */
  outDir?: string
  /** Rolldown where Vite or rolldown is installed, else rollup with esbuild. */
  engine?: BundleEngine
  /** Plugins of the engine, made anew for each endpoint; they come before ours. */
  plugins?: () => unknown[]
  minify?: boolean
  /** Further options of the engine; those that would break the build are refused with `BAD_OPTION`. */
  inputOptions?: Record<string, unknown>
  /** Of all endpoint folders together: 1500 MiB. */
  limitBytes?: number
}
