import type { ResolvedEndpointConfig } from '../endpoint-config/types.ts'
import type { FunctionFact } from '../facts.ts'

/** The newest shape of `flash_manifest.json`; a reader refuses a newer one. */
export const MANIFEST_VERSION = 1

/** Version of the job and browser wire that a build speaks. */
export const WIRE_VERSION = 1

/** The Node major that worker images have. */
export const WORKER_NODE = 24

/** The variable with the key by which endpoints call each other, when a build names none. */
export const defaultWorkerKey = 'FLASH_WORKER_KEY'

/** Everything a build made, on disk as `.flash/build/flash_manifest.json`: sorted, no absolute path, no secret, no time. */
export interface Manifest {
  schemaVersion: typeof MANIFEST_VERSION
  /** The project's name on the account. */
  app: string
  /** Name of the variable with the key by which endpoints call each other; those that call others get it. */
  workerKey?: string
  wireVersion: number
  /** Node major the bundles are made for. */
  node: number
  /** By endpoint name. */
  endpoints: Record<string, ManifestEndpoint>
}

export interface ManifestEndpoint {
  kind: 'queue' | 'balanced'
  functions: ManifestFunction[]
  config: ResolvedEndpointConfig
  /** sha256 of the config, hex. */
  configHash: string
  bundle: ManifestBundle
  externals: ManifestExternal[]
  /** Names of the endpoints that its code calls. */
  calls: string[]
  /** Endpoints of others that its code has clients of, where reading tells: `id abc123`, `app shop/default/ocr`. */
  clients?: string[]
}

/** One function as a bundle and its callers know it. */
export interface ManifestFunction extends BundleFunction {
  /** `{file_prefix}` of the development routes. */
  prefix: string
  /** `src/receipt.ts:7`, from the project root. */
  source: string
}

export interface ManifestBundle {
  /** sha256 over all files of the endpoint's folder and their names, hex. */
  hash: string
  /** Of `main.mjs`. */
  bytes: number
  gzipBytes: number
  /** Every file of the endpoint's folder, from that folder, sorted. */
  files: { path: string; bytes: number; hash: string }[]
}

/** A package that is installed on the worker instead of bundled. */
export interface ManifestExternal {
  name: string
  /** Exact. */
  version: string
  /** `listed` in the config, `native` by its metadata, or `missing` on the machine that built. */
  reason: 'listed' | 'native' | 'missing'
}

/** What a bundle knows about one of its functions; `path` tells two of one export name apart. */
export type BundleFunction = Pick<
  FunctionFact,
  | 'id'
  | 'path'
  | 'exportPath'
  | 'kind'
  | 'route'
  | 'callables'
  | 'constructorParams'
  | 'hasInput'
  | 'hasOutput'
  | 'setup'
>

/** What the build writes into a bundle about itself. */
export interface BundleInfo {
  endpoint: string
  wireVersion: number
  node: number
  maxConcurrency: number
  instances: number
  executionTimeoutMs: number
  functions: BundleFunction[]
}

/** What a server of the app knows about a function: enough to accept and forward a call. */
export type ServerFunction = Pick<
  FunctionFact,
  | 'id'
  | 'endpoint'
  | 'exportPath'
  | 'kind'
  | 'route'
  | 'callables'
  | 'constructorParams'
  | 'hasInput'
  | 'setup'
>

/** `virtual:flash/facts`: what the servers of an app know; in server output only. */
export interface ServerFacts {
  app: string
  /** Path below which the routes are, such as `/_flash`. */
  prefix: string
  functions: ServerFunction[]
}
