import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  AppError,
  bundleFolder,
  defaultWorkerKey,
  type ManifestEndpoint,
  parseManifest,
  type ResolvedEndpointConfig,
  workerImages,
} from '@flash/protocol'
import { toLimits } from './cpu-limits.ts'
import type { EndpointSettings } from './settings.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The endpoints of a build, whose workers see its folders.
 *
 * - `folder`: `.flash/build` of a project.
 * - `apiKey`: of the emulator, for endpoints that call others.
 * - `variables`: from which endpoints get what their config names.
 * - throws `BUILD_MISSING`, `ENV_MISSING` naming every variable without a value, and what `parseManifest` throws.
 */
export function readBundles(
  folder: string,
  apiKey: string,
  variables: Variables = process.env,
): EndpointSettings[] {
  const file = join(folder, 'flash_manifest.json')
  const { app, workerKey = defaultWorkerKey, endpoints } = parseManifest(readManifest(file), file)
  const keys = { [workerKey]: apiKey }
  return Object.entries(endpoints).map(([name, endpoint]) =>
    toSettings(name, endpoint, { app, folder, variables, keys }),
  )
}

function readManifest(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new AppError('BUILD_MISSING', {
      message: `there is no build: ${file} cannot be read`,
      hint: 'run `vite build` first, or name the folder of another build',
      cause,
    })
  }
}

interface BuildScope {
  app: string
  folder: string
  variables: Variables
  /** What workers show that call other endpoints. */
  keys: Record<string, string>
}

function toSettings(
  name: string,
  { kind, config, calls }: ManifestEndpoint,
  { app, folder, variables, keys }: BuildScope,
): EndpointSettings {
  const { compute } = config
  return {
    name,
    kind,
    image: config.image ?? workerImages[compute.kind],
    args: config.args ?? '',
    env: { ...standing(app), ...(calls.length > 0 && keys), ...resolveEnv(name, config.env, variables) },
    mounts: [{ source: resolve(folder, name), target: bundleFolder }],
    limits: toLimits(compute.kind === 'cpu' ? compute.instances : []),
    workersMin: config.workers.min,
    workersMax: config.workers.max,
    idleTimeoutSeconds: config.idleTimeoutSeconds,
    executionTimeoutMs: config.executionTimeoutMs,
    scaling: config.scaling,
    gpuCount: compute.kind === 'gpu' ? compute.count : 0,
  }
}

/** By the names of the app and its environment an endpoint is looked up. */
function standing(app: string): Record<string, string> {
  return { NODE_ENV: 'production', FLASH_APP: app, FLASH_ENV: 'production' }
}

function resolveEnv(
  endpoint: string,
  env: ResolvedEndpointConfig['env'],
  variables: Variables,
): Record<string, string> {
  const missing: string[] = []
  const entries = env.map((wanted): [string, string] => {
    if (wanted.kind === 'literal') return [wanted.name, wanted.value]
    const from = wanted.kind === 'secret' ? wanted.secret : wanted.name
    const value = variables[from]
    if (value === undefined) missing.push(from)
    return [wanted.name, value ?? '']
  })
  if (missing.length === 0) return Object.fromEntries(entries)
  throw new AppError('ENV_MISSING', {
    message: `endpoint "${endpoint}" names ${missing.join(', ')} in env, and this process has no value for ${missing.length === 1 ? 'it' : 'them'}`,
    hint: `set ${missing.join(', ')} in the environment of the emulator`,
    data: { missing },
  })
}
