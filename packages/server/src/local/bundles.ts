import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { LocalBalanced, LocalEndpoint } from '@flash/emulator'
import { AppError, type Clock, type Manifest, parseManifest, queueLimits, systemClock } from '@flash/protocol'
import type { LocalRuntime } from '@flash/runtime'
import { FastResponse } from 'srvx/node'
import type { RpcBackend } from '../backend.ts'
import { createCapability } from '../capability.ts'
import { createRpcHandler, type RpcHandler } from '../rpc.ts'
import { createRpcUpgrade } from '../rpc/upgrade.ts'
import { createLocalBackend, type LocalFact } from './backend.ts'
import { type BundleFleet, createBundleFleet } from './bundle-fleet.ts'
import type { BundleSurroundings } from './bundle-endpoint.ts'
import { type Listener, openListener } from './listener.ts'

export interface BundlesOptions {
  /** Of the build: `.flash/build` of a project. */
  folder: string
  /** Of the project: volumes are below. */
  root: string
  /** Variables from which bundles get what their config names; those of this process when omitted. */
  processEnv?: Record<string, string | undefined>
  /** Vite's `.env*` files of the mode, where they are read. */
  envFiles?: Record<string, string>
  /** Lines a bundle wrote, whether a call runs or not. */
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
  /** Told about errors that are no caller's. */
  onError(error: unknown): void
  /** The largest body of one call; 20 MB when omitted. */
  maxBodyBytes?: number
  clock?: Clock
}

/** The endpoints of a build, running on this machine. */
export interface LocalBundles {
  /** Of the newest build it knows. */
  readonly manifest: Manifest
  readonly backend: RpcBackend
  /**
   * The queue and workers of an endpoint; its first job starts the first process.
   *
   * - throws `UNKNOWN_ENDPOINT`, and `ENV_MISSING` as long as a variable has no value.
   */
  endpoint(name: string): LocalEndpoint<LocalFact>
  /** The same for one with routes or a web app, whose first request starts it. */
  balanced(name: string): LocalBalanced
  /** Goes on with another build: calls in flight finish in the processes they began in. */
  restart(manifest: Manifest): void
  /** Ends all processes. */
  close(): Promise<void>
}

/**
 * Runs the bundles of a build as processes of this machine, and lets them and server code call each other.
 *
 * - throws `BUILD_MISSING`, and what `parseManifest` throws.
 */
export async function openBundles(options: BundlesOptions): Promise<LocalBundles> {
  const { folder, root, processEnv = process.env, envFiles, onOutput } = options
  const clock = options.clock ?? systemClock
  const token = randomBytes(24).toString('base64url')
  const surroundings: BundleSurroundings = {
    folder,
    root,
    processEnv,
    envFiles,
    clock,
    onOutput,
    address: {},
  }
  const fleet = createBundleFleet(readManifest(folder, root), surroundings)
  const backend = createLocalBackend({
    ...fleet,
    rescan: async () => false,
    endpoint: async ({ endpoint }) => fleet.open(endpoint),
    balanced: async ({ endpoint }) => fleet.balanced(endpoint),
    maxBodyBytes: options.maxBodyBytes ?? queueLimits.runSyncBytes,
    clock,
  })
  // Job tokens are read by this process only.
  const parts = {
    capability: createCapability(randomBytes(32)),
    backend,
    clock,
    onInternal: options.onError,
  }
  const rpc = createRpcHandler({ ...parts, Response: FastResponse as unknown as typeof Response })
  const upgrade = createRpcUpgrade(parts)
  const tokenPlace = 'the variable FLASH_LOCAL_TOKEN'
  const listener = await openListener({ rpc, upgrade, token, tokenPlace })
  surroundings.address = { FLASH_LOCAL_URL: listener.url, FLASH_LOCAL_TOKEN: token }
  const withdraw = announce(folder, {
    has: (id) => fleet.function(id) !== null,
    fetch: (request) => answerInProcess(request, rpc),
    open: () => ({ url: listener.url, token }),
  })
  return {
    get manifest() {
      return fleet.manifest()
    },
    backend,
    endpoint: fleet.open,
    balanced: fleet.balanced,
    restart: fleet.restart,
    close: () => close(fleet, listener, withdraw),
  }
}

async function close(fleet: BundleFleet, listener: Listener, withdraw: () => void): Promise<void> {
  withdraw()
  fleet.close()
  await listener.close()
}

function readManifest(folder: string, root: string): Manifest {
  const file = join(folder, 'flash_manifest.json')
  const place = relative(root, file).replaceAll('\\', '/')
  try {
    return parseManifest(readFileSync(file, 'utf8'), place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new AppError('BUILD_MISSING', {
      message: `there is no build: ${place} does not exist`,
      hint: 'run `vite build` first',
    })
  }
}

const registry = Symbol.for('unplugin-flash.bundles')

/** Lets server code of this process find the bundles; returns what takes that back. */
function announce(folder: string, own: LocalRuntime): () => void {
  const holder = globalThis as unknown as Record<symbol, Map<string, LocalRuntime> | undefined>
  const all = (holder[registry] ??= new Map())
  all.set(folder, own)
  return () => {
    if (all.get(folder) === own) all.delete(folder)
  }
}

function answerInProcess(request: Request, rpc: RpcHandler): Promise<Response> {
  const path = new URL(request.url).pathname.split('/').at(-1) ?? ''
  return rpc(request, path, { kind: 'server', subject: null })
}
