import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkEndpointName,
  parseEndpointConfig,
  type PlainEndpointConfig,
  toEndpointConfig,
} from '../endpoint-config.ts'
import { AppError } from '../error.ts'
import { CpuInstance, cpuDiskLimitGb, DataCenter, GpuGroup, GpuType, parseCpuInstance } from '../hardware.ts'

const parse = (raw: unknown) => parseEndpointConfig(raw, () => undefined)

describe('every config', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{2,10}$/)
  const listOf = <T>(values: fc.Arbitrary<T>, minLength = 0) =>
    fc.uniqueArray(values, { minLength, maxLength: 4 })
  const maybe = { requiredKeys: [] as [] }
  const envName = fc.stringMatching(/^[A-Z]{1,8}$/).filter((name) => name !== 'PORT')
  const env = fc.oneof(
    listOf(envName),
    fc.dictionary(
      envName,
      fc.oneof(
        fc.string().filter((text) => !text.includes('{{')),
        fc.record({ secret: word }),
      ),
      { noNullPrototype: true },
    ),
  )
  const container = {
    image: word,
    args: fc.string(),
    ports: listOf(
      fc
        .tuple(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom('http', 'tcp'))
        .map(([port, protocol]) => `${port}/${protocol}`),
    ),
    registryAuthId: word,
    env,
  }
  const common = fc.record(
    {
      name: word.filter((name) => checkEndpointName(name) === undefined),
      workers: fc.oneof(
        fc.nat(9),
        fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as [number, number]),
      ),
      idleTimeoutSeconds: fc.integer({ min: 1, max: 3600 }),
      executionTimeoutMs: fc.integer({ min: 5000, max: 604_800_000 }),
      scaling: fc.oneof(
        fc.record({
          by: fc.constant('queueDelay' as const),
          seconds: fc.double({ min: 0.5, max: 1e6, noNaN: true }),
        }),
        fc.record({ by: fc.constant('requestCount' as const), requests: fc.integer({ min: 1 }) }),
      ),
      maxConcurrency: fc.integer({ min: 1 }),
      flashboot: fc.constantFrom(true, false, 'priority' as const),
      model: fc
        .tuple(word, word, fc.option(word))
        .map(([owner, name, at]) => `${owner}/${name}${at ? `:${at}` : ''}` as const),
      dependencies: listOf(word),
      systemDependencies: listOf(word),
      accelerateDownloads: fc.boolean(),
      ...container,
      template: fc.oneof(
        fc.record({ kind: fc.constant('template' as const), id: word }),
        fc.record({ kind: fc.constant('template' as const), ...container }, { requiredKeys: ['kind'] }),
      ),
      setup: fc.constant(true as const),
      input: fc.constant(true as const),
      output: fc.constant(true as const),
      instances: fc.integer({ min: 1 }),
      dev: fc.record(
        {
          target: fc.constantFrom('local' as const, 'docker' as const, 'live' as const),
          workers: fc.integer({ min: 1 }),
          keepWarm: fc.boolean(),
        },
        maybe,
      ),
    },
    maybe,
  )
  const place = fc.constantFrom(...Object.values(DataCenter))
  const network = fc
    .uniqueArray(
      fc.record(
        {
          kind: fc.constant('network' as const),
          id: word,
          name: word,
          sizeGb: fc.integer({ min: 10, max: 4096 }),
          dataCenter: place,
          create: fc.boolean(),
        },
        { requiredKeys: ['kind', 'name', 'dataCenter'] },
      ),
      { selector: (volume) => volume.dataCenter, maxLength: 3 },
    )
    .map((volumes) => ({ volumes, dataCenters: volumes.map(({ dataCenter }) => dataCenter) }))
  const global = fc
    .record({ kind: fc.constant('global' as const), name: word })
    .map((volumes) => ({ volumes }))
  const gpu = fc.record(
    {
      gpu: fc.oneof(
        fc.constant('any'),
        listOf(fc.constantFrom(...Object.values(GpuType), ...Object.values(GpuGroup)), 1),
      ),
      gpuCount: fc.integer({ min: 1, max: 8 }),
      diskGb: fc.integer({ min: 1 }),
    },
    maybe,
  )
  const cuda = fc.oneof(
    fc.record({ minCudaVersion: fc.constantFrom('12.8', '13.0') }, maybe),
    fc.record({ allowedCudaVersions: listOf(fc.constantFrom('12.7', '12.8', '13.0')) }, maybe),
  )
  const cpu = fc
    .record({
      cpu: listOf(fc.constantFrom(...Object.values(CpuInstance)), 1),
      share: fc.double({ min: 0.1, max: 1, noNaN: true }),
    })
    .map(({ cpu, share }) => ({
      cpu,
      diskGb: Math.ceil(
        share * Math.min(...cpu.map((instance) => cpuDiskLimitGb(parseCpuInstance(instance)!))),
      ),
    }))
  const config: fc.Arbitrary<PlainEndpointConfig> = fc.oneof(
    fc
      .tuple(common, gpu, cuda, fc.oneof(network, global))
      .map(([a, b, c, d]) => ({ ...a, ...b, ...c, ...d })),
    fc.tuple(common, cpu, network).map(([a, b, c]) => ({ ...a, ...b, ...c })),
  )

  test('resolved, written plainly and resolved again is the same', () => {
    fc.assert(
      fc.property(config, (raw) => {
        const resolved = parse(raw)
        const plain = toEndpointConfig(resolved)
        expect(parse(plain)).toEqual(resolved)
        expect(toEndpointConfig(parse(JSON.parse(JSON.stringify(plain))))).toEqual(plain)
      }),
      { numRuns: 300 },
    )
  })

  test('each field that was written survives', () => {
    fc.assert(
      fc.property(config, (raw) => {
        const plain: Record<string, unknown> = { ...toEndpointConfig(parse(raw)) }
        for (const [key, value] of Object.entries(raw)) {
          // The endpoint's own variables and those of a template become one list.
          if (key === 'template' || key === 'env') continue
          expect(asList(key, plain[key]), key).toEqual(asList(key, value))
        }
      }),
    )
  })

  test('of any shape at all is accepted or refused with sentences', () => {
    const keys: (keyof PlainEndpointConfig)[] = [
      'name',
      'gpu',
      'cpu',
      'workers',
      'scaling',
      'volumes',
      'env',
      'template',
      'dev',
      'ports',
      'model',
    ]
    const wild = fc.oneof(
      fc.anything(),
      fc.dictionary(fc.constantFrom(...keys), fc.anything({ withBigInt: true, withDate: true })),
    )
    fc.assert(
      fc.property(wild, (raw) => {
        try {
          parse(raw)
        } catch (error) {
          expect(error).toBeInstanceOf(AppError)
        }
      }),
      { numRuns: 500 },
    )
  })

  function asList(key: string, value: unknown): unknown {
    if (key === 'workers') return Array.isArray(value) ? value : [0, value]
    if (key === 'dev') return { workers: 1, keepWarm: false, ...(value as object) }
    if (key === 'volumes') {
      return [value]
        .flat()
        .map((volume) => ({ create: true, ...(isNetwork(volume) && { sizeGb: 100 }), ...(volume as object) }))
    }
    return value
  }

  function isNetwork(volume: unknown): boolean {
    return (volume as { kind: string }).kind === 'network'
  }
})
