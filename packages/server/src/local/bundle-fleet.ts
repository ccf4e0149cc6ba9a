import type { LocalEndpoint } from '@flash/emulator'
import { AppError, type Manifest, type ManifestEndpoint } from '@flash/protocol'
import type { LocalFact } from './backend.ts'
import { bundleSettings, type BundleSurroundings, createBundleEndpoint } from './bundle-endpoint.ts'

/** The endpoints of the newest build, as far as they were called. */
export interface BundleFleet {
  manifest(): Manifest
  function(id: string): LocalFact | null
  /** Throws `UNKNOWN_ENDPOINT`, `ENV_MISSING`. */
  open(name: string): LocalEndpoint<LocalFact>
  find(name: string): LocalEndpoint<LocalFact> | undefined
  all(): LocalEndpoint<LocalFact>[]
  restart(manifest: Manifest): void
}

interface Entry {
  endpoint: LocalEndpoint<LocalFact>
  /** What it was last made to run. */
  build: ManifestEndpoint
}

export function createBundleFleet(first: Manifest, surroundings: BundleSurroundings): BundleFleet {
  let manifest = first
  let functions = functionsOf(manifest)
  const entries = new Map<string, Entry>()
  const find = (name: string): ManifestEndpoint | undefined =>
    Object.hasOwn(manifest.endpoints, name) ? manifest.endpoints[name] : undefined
  const create = (name: string, build: ManifestEndpoint) => {
    const settings = bundleSettings(name, build, surroundings)
    const endpoint = createBundleEndpoint(settings, surroundings, () => find(name))
    entries.set(name, { endpoint, build })
    return endpoint
  }
  return {
    manifest: () => manifest,
    function: (id) => functions.get(id) ?? null,
    open(name) {
      const build = find(name)
      if (!build) throw unknownEndpoint(name, manifest)
      const entry = entries.get(name)
      if (!entry) return create(name, build)
      if (entry.build !== build) update(name, entry, build, surroundings)
      return entry.endpoint
    },
    find: (name) => entries.get(name)?.endpoint,
    all: () => Array.from(entries.values(), ({ endpoint }) => endpoint),
    restart(next) {
      manifest = next
      functions = functionsOf(next)
      for (const [name, { endpoint }] of entries) {
        if (find(name)) continue
        entries.delete(name)
        endpoint.close()
      }
    },
  }
}

/** At the next call, which is told when a variable is missing now. */
function update(name: string, entry: Entry, build: ManifestEndpoint, surroundings: BundleSurroundings): void {
  const settings = bundleSettings(name, build, surroundings)
  if (entry.build.bundle.hash !== build.bundle.hash) entry.endpoint.retire()
  entry.endpoint.configure(settings)
  entry.build = build
}

function functionsOf({ endpoints }: Manifest): Map<string, LocalFact> {
  return new Map(
    Object.entries(endpoints).flatMap(([endpoint, { functions }]) =>
      functions.map((one) => [one.id, { ...one, endpoint }] as const),
    ),
  )
}

function unknownEndpoint(name: string, { endpoints }: Manifest): AppError {
  const names = Object.keys(endpoints)
  return new AppError('UNKNOWN_ENDPOINT', {
    message: `the build has no endpoint "${name}"`,
    hint: names.length > 0 ? `it has: ${names.join(', ')}` : 'run `vite build` again',
  })
}
