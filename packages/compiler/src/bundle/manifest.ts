import {
  type FunctionFact,
  type Manifest,
  MANIFEST_VERSION,
  type ManifestEndpoint,
  type ManifestFunction,
  WIRE_VERSION,
  WORKER_NODE,
} from '@flash/protocol'
import { sha256 } from './files.ts'
import type { Folder } from './folder.ts'
import { type EndpointPlan, toBundleFunction } from './plan.ts'

export interface BuiltEndpoint {
  plan: EndpointPlan
  folder: Folder
  externals: ManifestEndpoint['externals']
  /** What looks like the id of a function in the code. */
  ids: string[]
  /** Endpoints of others that its code has clients of. */
  clients: string[]
}

/** What a build made, every key sorted. */
export function toManifest(
  { app, workerKey }: Pick<Manifest, 'app' | 'workerKey'>,
  endpoints: BuiltEndpoint[],
  functions: FunctionFact[],
): Manifest {
  const owners = new Map(functions.map(({ id, endpoint }) => [id, endpoint]))
  return sortKeys({
    schemaVersion: MANIFEST_VERSION,
    app,
    ...(workerKey !== undefined && { workerKey }),
    wireVersion: WIRE_VERSION,
    node: WORKER_NODE,
    endpoints: Object.fromEntries(endpoints.map((built) => [built.plan.name, toEndpoint(built, owners)])),
  })
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function toEndpoint(
  { plan, folder, externals, ids, clients }: BuiltEndpoint,
  owners: ReadonlyMap<string, string>,
): ManifestEndpoint {
  const { config, functions, name } = plan
  const called = new Set(ids.flatMap((id) => owners.get(id) ?? []))
  called.delete(name)
  return {
    kind: config.kind,
    functions: functions.map(toFunction),
    config,
    configHash: sha256(JSON.stringify(sortKeys(config))),
    bundle: {
      hash: folder.hash,
      bytes: folder.mainBytes,
      gzipBytes: folder.gzipBytes,
      files: folder.files.map(({ path, bytes, hash }) => ({ path, bytes, hash })),
    },
    externals,
    calls: [...called].sort(),
    ...(clients.length > 0 && { clients }),
  }
}

function toFunction(fact: FunctionFact): ManifestFunction {
  const { file, line } = fact.at
  return { ...toBundleFunction(fact), prefix: fact.prefix, source: `${file}:${line}` }
}

/** Lists keep their order. */
export function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortKeys) as T
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, item]) => [key, sortKeys(item)])) as T
}
