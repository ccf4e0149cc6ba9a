import { parseCompute, dataCenterRule } from './endpoint-config/compute.ts'
import { parseContainer } from './endpoint-config/container.ts'
import { checkEndpointName } from './endpoint-config/name.ts'
import type { PlainEndpointConfig } from './endpoint-config/plain.ts'
import { createProblems, type Problems } from './endpoint-config/problems.ts'
import { describeWhole, isWhole, matching, type Reader, readObject } from './endpoint-config/reader.ts'
import { parseScaling } from './endpoint-config/scaling.ts'
import { parseModel, parseVolumes } from './endpoint-config/storage.ts'
import type { ResolvedEndpointConfig } from './endpoint-config/types.ts'
import type { SourcePosition } from './facts.ts'

export type * from './endpoint-config/types.ts'
export { checkEndpointName } from './endpoint-config/name.ts'
export { type PlainEndpointConfig, toEndpointConfig } from './endpoint-config/plain.ts'
export type { ConfigProblem } from './endpoint-config/problems.ts'

export interface ParseEndpointOptions {
  /** `'queue'` when omitted. */
  kind?: 'queue' | 'balanced'
}

const keys = [
  'name',
  'gpu',
  'gpuCount',
  'cpu',
  'minCudaVersion',
  'allowedCudaVersions',
  'workers',
  'idleTimeoutSeconds',
  'executionTimeoutMs',
  'scaling',
  'maxConcurrency',
  'flashboot',
  'dataCenters',
  'volumes',
  'model',
  'env',
  'dependencies',
  'systemDependencies',
  'accelerateDownloads',
  'image',
  'diskGb',
  'args',
  'ports',
  'registryAuthId',
  'template',
  'setup',
  'input',
  'output',
  'instances',
  'dev',
] as const satisfies (keyof PlainEndpointConfig)[]

/** How Python's SDKs and older examples spell the fields, in small letters and digits only. */
const aliases = {
  concurrency: 'maxConcurrency',
  cuda: 'minCudaVersion',
  cudaversions: 'allowedCudaVersions',
  datacenter: 'dataCenters',
  datacenterids: 'dataCenters',
  disk: 'diskGb',
  containerdiskingb: 'diskGb',
  dockerargs: 'args',
  executiontimeout: 'executionTimeoutMs',
  gpus: 'gpu',
  gpuids: 'gpu',
  idletimeout: 'idleTimeoutSeconds',
  imagename: 'image',
  instanceids: 'cpu',
  locations: 'dataCenters',
  mounts: 'volumes',
  networkvolume: 'volumes',
  networkvolumes: 'volumes',
  registryauth: 'registryAuthId',
  scalertype: 'scaling',
  scalervalue: 'scaling',
  secrets: 'env',
  timeout: 'executionTimeoutMs',
  volume: 'volumes',
  workersmax: 'workers',
  workersmin: 'workers',
}

const dependencyRule = matching(
  'a package such as "sharp" or "sharp@0.34.5"',
  /^(?:@[a-z0-9~][\w.~-]*\/)?[a-zA-Z0-9~][\w.~-]*(?:@[\w.^~<>=*+|: /-]+)?$/,
)
const systemDependencyRule = matching(
  'a Debian package such as "ffmpeg" or "ffmpeg=7:5.1"',
  /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:=[\w.+:~-]+)?$/,
)

/**
 * Checks a config once and fills in its defaults.
 *
 * - `raw`: plain data; `setup`, `input` and `output` are absent or `true`, since code is never part of it.
 * - `locate`: where the field of a path is written, `undefined` when nobody knows.
 * - throws one `AppError` that lists all problems, `data.problems` being a `ConfigProblem[]`. Its code is theirs when they
 *   agree (`UNKNOWN_FIELD`, `BAD_NAME`, `RESERVED_ENV`), else `BAD_CONFIG`.
 */
export function parseEndpointConfig(
  raw: unknown,
  locate: (path: string[]) => SourcePosition | undefined,
  { kind = 'queue' }: ParseEndpointOptions = {},
): ResolvedEndpointConfig {
  const problems = createProblems(locate)
  const reader = readObject(problems, raw, [], { what: 'an object', keys, aliases })
  const config = reader && readConfig(problems, reader, kind)
  problems.throwIfAny()
  // Without an object there was a problem.
  return config!
}

function readConfig(problems: Problems, reader: Reader, kind: 'queue' | 'balanced'): ResolvedEndpointConfig {
  const compute = parseCompute(reader)
  const dataCenters = reader.texts('dataCenters', dataCenterRule, { single: true }) ?? []
  return {
    kind,
    name: parseName(reader, kind),
    compute,
    workers: parseWorkers(reader),
    idleTimeoutSeconds: reader.whole('idleTimeoutSeconds', { min: 1, max: 3600 }, 60),
    executionTimeoutMs: reader.whole('executionTimeoutMs', { min: 5000, max: 604_800_000 }, 600_000),
    scaling: parseScaling(problems, reader, kind),
    maxConcurrency: reader.whole('maxConcurrency', { min: 1 }, 1),
    flashboot: reader.oneOf('flashboot', [true, false, 'priority'], true),
    dataCenters,
    volumes: parseVolumes(problems, reader, { compute, dataCenters }),
    model: parseModel(reader),
    dependencies: reader.texts('dependencies', dependencyRule) ?? [],
    systemDependencies: reader.texts('systemDependencies', systemDependencyRule) ?? [],
    accelerateDownloads: reader.flag('accelerateDownloads', true),
    ...parseContainer(problems, reader, compute),
    code: {
      setup: isCode(reader, 'setup'),
      input: isSchema(reader, 'input', kind),
      output: isSchema(reader, 'output', kind),
    },
    instances: reader.whole('instances', { min: 1 }, 16),
    dev: parseDev(problems, reader),
  }
}

function parseName(reader: Reader, kind: 'queue' | 'balanced'): string | null {
  if (kind === 'balanced' && !reader.has('name'))
    reader.refuse('name', 'is missing; a load-balanced endpoint has one', { code: 'BAD_NAME' })
  return reader.text(
    'name',
    { what: 'a name of 3 to 63 characters', check: checkEndpointName, code: 'BAD_NAME' },
    null,
  )
}

function parseWorkers(reader: Reader): ResolvedEndpointConfig['workers'] {
  const value = reader.raw('workers')
  if (value === undefined) return { min: 0, max: 1 }
  const [min, max] = Array.isArray(value) && value.length === 2 ? value : [0, value]
  if (isWhole(min, { min: 0 }) && isWhole(max, { min: 0 })) {
    if (min > max) reader.refuse('workers', 'has a minimum above its maximum')
    return { min, max }
  }
  reader.refuse('workers', `is not allowed; ${describeWhole({ min: 0 })}, or [min, max] of two of them, is`)
  return { min: 0, max: 1 }
}

/** Code never comes in here: whoever read it away leaves `true` in its place. */
function isCode(reader: Reader, key: 'setup' | 'input' | 'output'): boolean {
  const value = reader.raw(key)
  if (value !== undefined && value !== true)
    reader.refuse(key, `is not allowed; ${key === 'setup' ? 'a function' : 'a schema'} is`)
  return value === true
}

function isSchema(reader: Reader, key: 'input' | 'output', kind: 'queue' | 'balanced'): boolean {
  if (kind === 'queue' || !reader.has(key)) return isCode(reader, key)
  reader.refuse(
    key,
    'is not allowed in a load-balanced endpoint; each of its routes has schemas of its own',
    {
      hide: true,
    },
  )
  return false
}

function parseDev(problems: Problems, parent: Reader): ResolvedEndpointConfig['dev'] {
  const fallback = { target: null, workers: 1, keepWarm: false }
  if (!parent.has('dev')) return fallback
  const reader = readObject(problems, parent.raw('dev'), [...parent.path, 'dev'], {
    what: 'an object with target, workers and keepWarm',
    keys: ['target', 'workers', 'keepWarm'],
  })
  if (!reader) return fallback
  return {
    target: reader.oneOf('target', ['local', 'docker', 'live'], null),
    workers: reader.whole('workers', { min: 1 }, 1),
    keepWarm: reader.flag('keepWarm', false),
  }
}
