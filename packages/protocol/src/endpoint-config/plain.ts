import type { EndpointData, EnvValue, ResolvedEndpointConfig, ResolvedEnv, ResolvedVolume } from './types.ts'

/** A config as plain data: fields that are code are `true` where there is some. */
export type PlainEndpointConfig = EndpointData & { readonly [key in 'setup' | 'input' | 'output']?: true }

/** The plain config that parses to exactly this one. */
export function toEndpointConfig(config: ResolvedEndpointConfig): PlainEndpointConfig {
  const { compute, model, code } = config
  return {
    ...given('name', config.name),
    ...(compute.kind === 'cpu'
      ? { cpu: compute.instances }
      : {
          gpu: compute.names.join() === 'any' ? 'any' : compute.names,
          gpuCount: compute.count,
          ...given('minCudaVersion', compute.minCudaVersion),
          allowedCudaVersions: compute.allowedCudaVersions,
        }),
    workers: [config.workers.min, config.workers.max],
    idleTimeoutSeconds: config.idleTimeoutSeconds,
    executionTimeoutMs: config.executionTimeoutMs,
    scaling: config.scaling,
    maxConcurrency: config.maxConcurrency,
    flashboot: config.flashboot,
    dataCenters: config.dataCenters,
    volumes: toVolumes(config.volumes),
    ...(model && {
      model: `${model.owner}/${model.name}${model.revision === null ? '' : `:${model.revision}`}` as const,
    }),
    ...toTemplateAndEnv(config),
    dependencies: config.dependencies,
    systemDependencies: config.systemDependencies,
    accelerateDownloads: config.accelerateDownloads,
    ...given('image', config.image),
    ...given('diskGb', config.diskGb),
    ...given('args', config.args),
    ports: config.ports,
    ...given('registryAuthId', config.registryAuthId),
    instances: config.instances,
    dev: {
      ...given('target', config.dev.target),
      workers: config.dev.workers,
      keepWarm: config.dev.keepWarm,
    },
    ...(code.setup && { setup: true }),
    ...(code.input && { input: true }),
    ...(code.output && { output: true }),
  }
}

function given<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return value === null ? {} : ({ [key]: value } as { [key in K]: V })
}

/** One list holds names or values, not both; what came from a template and the endpoint may be both. */
function toTemplateAndEnv({
  env,
  templateId,
}: ResolvedEndpointConfig): Pick<EndpointData, 'template' | 'env'> {
  const change = env.findIndex((entry) => isByName(entry) !== isByName(env[0]!))
  if (change > 0)
    return { template: { kind: 'template', env: toEnv(env.slice(0, change)) }, env: toEnv(env.slice(change)) }
  return { ...(templateId !== null && { template: { kind: 'template', id: templateId } }), env: toEnv(env) }
}

const isByName = ({ kind }: ResolvedEnv) => kind === 'byName'

function toEnv(env: readonly ResolvedEnv[]): NonNullable<EndpointData['env']> {
  if (env.every(isByName)) return env.map(({ name }) => name)
  return Object.fromEntries(env.flatMap(toEnvEntry))
}

function toEnvEntry(entry: ResolvedEnv): [string, EnvValue][] {
  if (entry.kind === 'byName') return []
  return [[entry.name, entry.kind === 'secret' ? { secret: entry.secret } : entry.value]]
}

function toVolumes(volumes: readonly ResolvedVolume[]): NonNullable<EndpointData['volumes']> {
  const plain = volumes.map(toVolume)
  const [first] = plain
  return first?.kind === 'global' ? first : plain.filter((volume) => volume.kind === 'network')
}

function toVolume(volume: ResolvedVolume) {
  const common = { ...given('id', volume.id), ...given('name', volume.name), create: volume.create }
  if (volume.kind === 'global') return { kind: 'global', ...common } as const
  return {
    kind: 'network',
    ...common,
    sizeGb: volume.sizeGb,
    ...given('dataCenter', volume.dataCenter),
  } as const
}
