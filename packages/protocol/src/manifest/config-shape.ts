import type {
  CpuCompute,
  GpuCompute,
  ResolvedEndpointConfig,
  ResolvedEnv,
  ResolvedVolume,
} from '../endpoint-config/types.ts'
import { fields, flag, kinds, listOf, nullable, number, oneOf, type Shape, text, whole } from './shape.ts'

type Of<T, K> = Extract<T, { kind: K }>

const compute = kinds({
  gpu: fields<GpuCompute>({
    kind: text,
    names: listOf(text),
    count: whole(1),
    minCudaVersion: nullable(text),
    allowedCudaVersions: listOf(text),
  }),
  cpu: fields<CpuCompute>({ kind: text, instances: listOf(text) }),
})

const scaling: Shape = (value, path) => {
  fields<{ by: string }>({ by: oneOf('queueDelay', 'requestCount') })(value, path)
  if ((value as { by: string }).by === 'queueDelay')
    fields<{ seconds: number }>({ seconds: number })(value, path)
  else fields<{ requests: number }>({ requests: whole(1) })(value, path)
}

const stored = { kind: text, id: nullable(text), name: nullable(text), create: flag }

const volume = kinds({
  network: fields<Of<ResolvedVolume, 'network'>>({ ...stored, sizeGb: number, dataCenter: nullable(text) }),
  global: fields<Of<ResolvedVolume, 'global'>>(stored),
})

const variable = kinds({
  byName: fields<Of<ResolvedEnv, 'byName'>>({ kind: text, name: text }),
  literal: fields<Of<ResolvedEnv, 'literal'>>({ kind: text, name: text, value: text }),
  secret: fields<Of<ResolvedEnv, 'secret'>>({ kind: text, name: text, secret: text }),
})

/** `ResolvedEndpointConfig` as it was written to a file. */
export const configShape = fields<ResolvedEndpointConfig>({
  kind: oneOf('queue', 'balanced'),
  name: nullable(text),
  compute,
  workers: fields<ResolvedEndpointConfig['workers']>({ min: whole(0), max: whole(0) }),
  idleTimeoutSeconds: whole(1),
  executionTimeoutMs: whole(1),
  scaling,
  maxConcurrency: whole(1),
  flashboot: oneOf(true, false, 'priority'),
  dataCenters: listOf(text),
  volumes: listOf(volume),
  model: nullable(
    fields<NonNullable<ResolvedEndpointConfig['model']>>({
      owner: text,
      name: text,
      revision: nullable(text),
    }),
  ),
  env: listOf(variable),
  dependencies: listOf(text),
  systemDependencies: listOf(text),
  accelerateDownloads: flag,
  image: nullable(text),
  diskGb: nullable(number),
  args: nullable(text),
  ports: listOf(text),
  registryAuthId: nullable(text),
  templateId: nullable(text),
  code: fields<ResolvedEndpointConfig['code']>({ setup: flag, input: flag, output: flag }),
  instances: whole(1),
  dev: fields<ResolvedEndpointConfig['dev']>({
    target: nullable(oneOf('local', 'docker', 'live')),
    workers: whole(1),
    keepWarm: flag,
  }),
})
