import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, type Clock, systemClock } from '@flash/protocol'
import { type AddedEndpoints, createAdded, type EndpointAddress } from './added.ts'
import { createAddresses, resolveTls, toClientEnv } from './addresses.ts'
import { type BalancedLimits, resolveBalancedLimits } from './balanced/limits.ts'
import { createBalancedPlane } from './balanced/plane.ts'
import { readBundles } from './bundles.ts'
import { createMovableClock, type MovableClock } from './clock.ts'
import { createId } from './control/ids.ts'
import { createAccount } from './control/index.ts'
import type { Account } from './control/types.ts'
import { type DataLimits, resolveDataLimits } from './data/limits.ts'
import { createDataPlane } from './data/plane.ts'
import {
  createEndpoints,
  type Endpoints,
  type EndpointSpec,
  type RunningEndpoint,
} from './endpoints/index.ts'
import { onExit } from './exit.ts'
import { createFaults, type Fault, type Faults, type NewFault, type Plane } from './faults.ts'
import { type LauncherName, resolveLauncher } from './launcher.ts'
import type { DockerLauncherOptions } from './launchers/docker.ts'
import type { Launcher, WorkerOrder } from './launchers/launcher.ts'
import type { RetentionOptions } from './queue/index.ts'
import { createRouter } from './router.ts'
import { openServer } from './server.ts'
import type { EndpointSettings } from './settings.ts'
import { type WorkerEvent, watchWorkers } from './watch.ts'
import { createWorkerEnv } from './worker/environment.ts'
import { createWorkerKeys } from './worker/key.ts'
import { createWorkerPlane } from './worker/plane.ts'

export { createMovableClock }
export type {
  Account,
  DockerLauncherOptions,
  EndpointAddress,
  Endpoints,
  EndpointSettings,
  EndpointSpec,
  Fault,
  Faults,
  Launcher,
  MovableClock,
  NewFault,
  Plane,
  RunningEndpoint,
  WorkerEvent,
  WorkerOrder,
}

export interface EmulatorOptions {
  /** 0 when omitted: any free one. */
  port?: number
  /** Address to listen at; `127.0.0.1` when omitted, and then names that are not of this machine are refused. */
  host?: string
  /** What clients must show; `emulator` when omitted. */
  apiKey?: string
  clock?: Clock
  /** How workers are started; `process` when omitted. */
  launcher?: LauncherName | Launcher
  /** Of the docker launcher: `images` in place of others, `fallback`, `network`, `user`, `writableRoot`, `asIs`. */
  docker?: DockerLauncherOptions
  /** What the process launcher runs for a worker; the start command or the bundle where it says `null`. */
  program?: (order: WorkerOrder) => { command: string[]; cwd?: string } | null
  /** `true`: a new certificate, whose authority `env` names. HTTP goes on at the same port. */
  tls?: { key: string; cert: string } | boolean
  /** Workers of all endpoints together; further ones are throttled. No limit when omitted. */
  maxConcurrentWorkers?: number
  /** Where artifacts and volumes lie; a temporary one when omitted. */
  folder?: string
  /** Runpod's when omitted. */
  limits?: Partial<DataLimits> & { balanced?: Partial<BalancedLimits>; retention?: RetentionOptions }
  /** Told about errors that are no caller's; they are written to standard error when omitted. */
  onError?(error: unknown): void
}

/** One endpoint of a build. */
export interface BundleAddress extends EndpointAddress {
  name: string
}

/** Runpod on this machine, as far as clients and workers can tell. */
export interface Emulator {
  /** `http://127.0.0.1:41234` */
  readonly url: string
  /** Every variable that a client needs, and one for the address of each endpoint that was added here. */
  readonly env: Record<string, string>
  endpoints: Endpoints
  account: Account
  faults: Faults
  /**
   * Makes an endpoint without asking the account; one with the same name is changed.
   *
   * - throws `BAD_REQUEST` for another kind than it has.
   */
  addEndpoint: AddedEndpoints['add']
  /** Makes endpoints of a build: `.flash/build` of a project. Throws `BUILD_MISSING`, `ENV_MISSING`. */
  addBundles(folder: string): BundleAddress[]
  /** Variables of a worker of an endpoint that somebody starts by hand. Throws `NOT_FOUND`. */
  workerEnv(endpointId: string): Promise<Record<string, string>>
  /** Tells what workers write, and what becomes of them, from now on; returns what ends it. */
  onWorker(listener: (event: WorkerEvent) => void): () => void
  /** Ends all workers and connections. */
  close(): Promise<void>
}

/** Throws `BAD_OPTION` when it cannot listen. */
export async function createEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { folder, remove } = openFolder(options.folder)
  try {
    const parts = await assemble(options, folder)
    return toEmulator(parts, await parts.listen(), remove)
  } catch (error) {
    remove()
    throw error
  }
}

type Parts = Awaited<ReturnType<typeof assemble>>

/** Everything but the address, which is known when the server listens. */
async function assemble(options: EmulatorOptions, folder: string) {
  const { host = '127.0.0.1', port = 0, apiKey = 'emulator', clock = systemClock, onError = report } = options
  const tls = resolveTls(options.tls, folder)
  const launcher = await resolveLauncher(options.launcher ?? 'process', options)
  const faults = createFaults()
  const keys = createWorkerKeys()
  let addresses = createAddresses(host, port, tls)
  const workerEnv = async (spec: EndpointSpec, workerId: string) => {
    const url = await launcher.reachable(addresses.plainUrl)
    return createWorkerEnv(spec, workerId, { url, key: keys.of(spec.id) })
  }
  const { maxConcurrentWorkers, limits: { retention } = {} } = options
  const how = { clock, launcher, faults, workerEnv, maxConcurrentWorkers, retention, ...timeOf(clock) }
  const endpoints = createEndpoints(how)
  const account = createAccount({
    endpoints,
    clock,
    apiKey,
    folder,
    url: () => addresses.url,
    balancedUrl: (id) => addresses.balancedUrl(id),
  })
  const added = createAdded(endpoints, (spec) => addresses.endpointUrl(spec))
  const env = () => ({ ...toClientEnv(addresses, apiKey, tls), ...added.env() })
  const envByHand = ({ spec }: RunningEndpoint) => workerEnv(spec, `hand-${createId(new Map())}`)
  const own = { account, endpoints, faults, clock, env, onError, workerEnv: envByHand }
  const planes = createPlanes({ clock, faults, onError }, options.limits)
  const router = createRouter({ ...own, ...planes, keys, isOpen: !isLoopback(host) })
  const close = async () => {
    planes.data.close()
    await Promise.all([account.close(), endpoints.close()])
    await launcher.close()
  }
  return {
    ...own,
    apiKey,
    added,
    async listen() {
      const server = await openServer({ host, port, tls }, router).catch(async (error: unknown) => {
        await close()
        throw error
      })
      addresses = createAddresses(host, server.port, tls)
      return { ...addresses, closeServer: server.close }
    },
    close,
  }
}

function createPlanes(
  shared: { clock: Clock; faults: Faults; onError(error: unknown): void },
  limits: EmulatorOptions['limits'] = {},
) {
  const ofData = resolveDataLimits(limits)
  return {
    data: createDataPlane({ ...shared, limits: ofData }),
    worker: createWorkerPlane({ ...shared, limits: ofData }),
    balanced: createBalancedPlane({ ...shared, limits: resolveBalancedLimits(limits.balanced) }),
  }
}

function toEmulator(
  parts: Parts,
  { url, closeServer }: Awaited<ReturnType<Parts['listen']>>,
  remove: () => void,
): Emulator {
  const { endpoints, account, faults, added } = parts
  const watches = new Set<() => void>()
  let closed: Promise<void> | null = null
  return {
    url,
    get env() {
      return parts.env()
    },
    endpoints,
    account,
    faults,
    addEndpoint: added.add,
    addBundles: (folder) =>
      readBundles(folder, parts.apiKey).map((one) => ({ name: one.name, ...added.add(one) })),
    async workerEnv(endpointId) {
      const endpoint = endpoints.get(endpointId)
      if (endpoint) return parts.workerEnv(endpoint)
      throw new AppError('NOT_FOUND', {
        message: `there is no endpoint "${endpointId}"`,
        hint: 'look at /_emulator/state for those that exist',
      })
    },
    onWorker(listener) {
      const stop = watchWorkers(endpoints, listener)
      watches.add(stop)
      return stop
    },
    close: () =>
      (closed ??= (async () => {
        await parts.close()
        await closeServer()
        for (const stop of watches) stop()
        remove()
      })()),
  }
}

function report(error: unknown): void {
  console.error('[flash emulator]', error)
}

/** Its own folder goes with the emulator; a given one stays. */
function openFolder(given: string | undefined): { folder: string; remove(): void } {
  if (given !== undefined) {
    mkdirSync(given, { recursive: true })
    return { folder: given, remove() {} }
  }
  const folder = mkdtempSync(join(tmpdir(), 'flash-emulator-'))
  const erase = () => rmSync(folder, { recursive: true, force: true })
  // Also of a program that ends without closing it.
  const forget = onExit(erase)
  return {
    folder,
    remove() {
      forget()
      erase()
    },
  }
}

function timeOf(clock: Clock): { skippedMs?(): number } {
  return 'skippedMs' in clock ? { skippedMs: (clock as MovableClock).skippedMs } : {}
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
