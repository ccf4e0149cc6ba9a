import type { LocalBalanced, LocalEndpoint } from '@flash/emulator'
import { AppError, isBalanced, type Manifest, type ManifestEndpoint } from '@flash/protocol'
import type { LocalFact } from './backend.ts'
import {
  bundleSettings,
  type BundleSurroundings,
  createBundleBalanced,
  createBundleEndpoint,
} from './bundle-endpoint.ts'

/** The endpoints of the newest build, as far as they were called. */
export interface BundleFleet {
  manifest(): Manifest
  function(id: string): LocalFact | null
  functions(): LocalFact[]
  /** Throws `UNKNOWN_ENDPOINT`, `ENV_MISSING`. */
  open(name: string): LocalEndpoint<LocalFact>
  /** The same for one with routes or a web app. */
  balanced(name: string): LocalBalanced
  find(name: string): LocalEndpoint<LocalFact> | undefined
  all(): LocalEndpoint<LocalFact>[]
  restart(manifest: Manifest): void
  close(): void
}

/** What both kinds of endpoints are told. */
type Runner = Pick<LocalBalanced, 'configure' | 'retire' | 'close'>

interface Entry<E> {
  endpoint: E
  /** What it was last made to run. */
  build: ManifestEndpoint
}

type Create<E> = (...given: Parameters<typeof createBundleEndpoint>) => E

export function createBundleFleet(first: Manifest, surroundings: BundleSurroundings): BundleFleet {
  let manifest = first
  let functions = functionsOf(manifest)
  const build = (name: string, kind: ManifestEndpoint['kind']) => findBuild(manifest, name, kind)
  const queues = createKind<LocalEndpoint<LocalFact>>('queue', build, surroundings, createBundleEndpoint)
  const balanced = createKind<LocalBalanced>('balanced', build, surroundings, createBundleBalanced)
  return {
    manifest: () => manifest,
    function: (id) => functions.get(id) ?? null,
    functions: () => [...functions.values()],
    open(name) {
      const { endpoint } = queues.open(name, manifest)
      return endpoint
    },
    balanced(name) {
      const { endpoint, build } = balanced.open(name, manifest)
      endpoint.serve(build.functions.filter(isBalanced))
      return endpoint
    },
    find: (name) => queues.entries.get(name)?.endpoint,
    all: () => Array.from(queues.entries.values(), ({ endpoint }) => endpoint),
    restart(next) {
      manifest = next
      functions = functionsOf(next)
      queues.closeGone()
      balanced.closeGone()
    },
    close() {
      queues.close()
      balanced.close()
    },
  }
}

/** Endpoints of one kind; one whose kind is another in a newer build is another endpoint. */
function createKind<E extends Runner>(
  kind: ManifestEndpoint['kind'],
  find: (name: string, kind: ManifestEndpoint['kind']) => ManifestEndpoint | undefined,
  surroundings: BundleSurroundings,
  create: Create<E>,
) {
  const entries = new Map<string, Entry<E>>()
  let isClosed = false
  return {
    entries,
    open(name: string, manifest: Manifest): Entry<E> {
      if (isClosed) throw closed(name)
      const build = find(name, kind)
      if (!build) throw unknownEndpoint(name, manifest)
      const entry = entries.get(name)
      if (!entry) {
        const settings = bundleSettings(name, build, surroundings)
        const made = { endpoint: create(settings, surroundings, () => find(name, kind)), build }
        entries.set(name, made)
        return made
      }
      if (entry.build !== build) update(name, entry, build, surroundings)
      return entry
    },
    closeGone() {
      for (const [name, { endpoint }] of entries) {
        if (find(name, kind)) continue
        entries.delete(name)
        endpoint.close()
      }
    },
    close() {
      isClosed = true
      for (const { endpoint } of entries.values()) endpoint.close()
    },
  }
}

/** At the next call, which is told when a variable is missing now. */
function update(
  name: string,
  entry: Entry<Runner>,
  build: ManifestEndpoint,
  surroundings: BundleSurroundings,
): void {
  const settings = bundleSettings(name, build, surroundings)
  entry.endpoint.configure(settings)
  // Whoever waits gets a worker of the newest settings.
  if (entry.build.bundle.hash !== build.bundle.hash) entry.endpoint.retire()
  entry.build = build
}

function findBuild(
  { endpoints }: Manifest,
  name: string,
  kind: ManifestEndpoint['kind'],
): ManifestEndpoint | undefined {
  const build = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined
  return build?.kind === kind ? build : undefined
}

function functionsOf({ endpoints }: Manifest): Map<string, LocalFact> {
  return new Map(
    Object.entries(endpoints).flatMap(([endpoint, { functions }]) =>
      functions.map((one) => [one.id, { ...one, endpoint }] as const),
    ),
  )
}

/** Whoever asks still would start a process that nobody ends. */
function closed(name: string): AppError {
  return new AppError('NO_WORKERS', {
    message: `endpoint "${name}" is closed`,
    hint: 'what ran the bundles has ended',
  })
}

function unknownEndpoint(name: string, { endpoints }: Manifest): AppError {
  const names = Object.keys(endpoints)
  return new AppError('UNKNOWN_ENDPOINT', {
    message: `the build has no endpoint "${name}"`,
    hint: names.length > 0 ? `it has: ${names.join(', ')}` : 'run `vite build` again',
  })
}
