import type { PodTemplate } from '@flash/protocol'
import type { Given, IsGiven } from './given.ts'
import type { NameFlaw } from './name.ts'
import type { Compare, IsOutOfRange } from './numbers.ts'
import type { EndpointConfig } from './types.ts'

/**
 * `unknown` when nothing is wrong with a config as far as its literals tell, else an object with a message at each field.
 * The build checks everything again, with what is only known then.
 */
export type CheckConfig<C, Kind extends EndpointKind = 'queue'> = [Wrong<C, Kind>] extends [never]
  ? unknown
  : { readonly [W in Wrong<C, Kind> as W[0]]: { 'flash config': W[1] } }

/** An image says itself which of the others it is. */
type EndpointKind = 'queue' | 'balanced' | 'image'

/** Pairs of field and message; `never` when nothing is wrong. */
type Wrong<C, Kind> =
  | WrongField<C>
  | WrongCompute<C>
  | WrongGpu<Given<C, 'gpu'>>
  | WrongCpu<Given<C, 'cpu'>>
  | WrongDisk<Given<C, 'diskGb'>, Given<C, 'cpu'>>
  | WrongName<C, Kind>
  | WrongSchema<C, Kind>
  | WrongNumber<C>
  | WrongWorkers<Given<C, 'workers'>>
  | WrongScaling<Given<C, 'scaling'>, Kind>
  | WrongVolumes<Given<C, 'volumes'>, C>
  | WrongEnv<Given<C, 'env'>>

type Message<Field extends string, Text extends string> = Text extends string ? [Field, Text] : never

type WrongField<C> =
  | {
      [K in Exclude<keyof C & string, keyof EndpointConfig>]: [K, 'not a field of an endpoint config']
    }[Exclude<keyof C & string, keyof EndpointConfig>]
  | Other<Given<C, 'dev'>, 'dev', 'target' | 'workers' | 'keepWarm'>
  | Other<Given<C, 'template'>, 'template', keyof PodTemplate>

type Other<T, Field extends string, Known> = T extends unknown
  ? Message<Field, `${Field} has no field ${Exclude<keyof T & string, Known>}`>
  : never

type GpuField = 'gpu' | 'gpuCount' | 'minCudaVersion' | 'allowedCudaVersions'

type WrongCompute<C> =
  | (IsGiven<C, 'cpu'> extends true
      ? {
          [K in GpuField]: IsGiven<C, K> extends true ? [K, `${K} cannot be together with cpu`] : never
        }[GpuField]
      : never)
  | (IsGiven<C, 'minCudaVersion'> extends true
      ? [Given<C, 'allowedCudaVersions'>] extends [readonly []]
        ? never
        : ['allowedCudaVersions', 'allowedCudaVersions cannot be together with minCudaVersion']
      : never)

type WrongGpu<V> = V extends readonly (infer Entry)[]
  ? 'any' extends Extract<Entry, 'any'>
    ? ['gpu', 'write gpu: "any" instead of a list that has "any"']
    : never
  : never

type WrongCpu<V> =
  OneOrMany<V> extends infer Instance
    ? Instance extends `${infer Flavor}-1-${string}`
      ? [
          'cpu',
          `${Instance} has one vCPU, which cannot be made; the nearest is ${Flavor}-2-${Flavor extends 'cpu3g' ? 8 : 4}`,
        ]
      : never
    : never

type OneOrMany<V> = V extends readonly (infer Entry)[] ? Entry : V

interface DiskLimits {
  'cpu3c-2-4': '20'
  'cpu3c-4-8': '40'
  'cpu3c-8-16': '80'
  'cpu3g-2-8': '20'
  'cpu3g-4-16': '40'
  'cpu3g-8-32': '80'
  'cpu5c-2-4': '30'
  'cpu5c-4-8': '60'
  'cpu5c-8-16': '120'
}

type WrongDisk<Disk, Cpu> = Disk extends number
  ? OneOrMany<Cpu> extends infer Instance
    ? Instance extends keyof DiskLimits
      ? Compare<`${Disk}`, DiskLimits[Instance]> extends 'more'
        ? ['diskGb', `${Instance} can have ${DiskLimits[Instance]} GB of disk`]
        : never
      : never
    : never
  : never

type WrongName<C, Kind> =
  | Message<'name', NameFlaw<Given<C, 'name'>>>
  | (Kind extends keyof Named
      ? IsGiven<C, 'name'> extends true
        ? never
        : ['name', `${Named[Kind]} has a name`]
      : never)

interface Named {
  balanced: 'a load-balanced endpoint'
  image: 'an endpoint that runs an image'
}

type SchemaField = 'input' | 'output'

type WrongSchema<C, Kind> = Kind extends 'balanced'
  ? {
      [K in SchemaField]: IsGiven<C, K> extends true
        ? [K, `${K} is for functions: a route has schemas of its own`]
        : never
    }[SchemaField]
  : Kind extends 'image'
    ? IsGiven<C, 'setup'> extends true
      ? ['setup', 'setup is for functions: an image starts by itself']
      : never
    : never

interface Limits {
  gpuCount: ['1', '']
  idleTimeoutSeconds: ['1', '3600']
  executionTimeoutMs: ['5000', '604800000']
  maxConcurrency: ['1', '']
  diskGb: ['1', '']
  instances: ['1', '']
}

type WrongNumber<C> = {
  [K in keyof Limits]: true extends IsOutOfRange<Given<C, K>, Limits[K][0], Limits[K][1]>
    ? [
        K,
        `${K} is a whole number from ${Limits[K][0]} ${Limits[K][1] extends '' ? 'on' : `to ${Limits[K][1]}`}`,
      ]
    : never
}[keyof Limits]

type WrongWorkers<V> = V extends readonly [infer Min extends number, infer Max extends number]
  ? true extends IsOutOfRange<Min | Max, '0', ''>
    ? ['workers', 'workers are whole numbers from 0 on']
    : Compare<`${Min}`, `${Max}`> extends 'more'
      ? ['workers', 'the minimum of workers is above the maximum']
      : never
  : true extends IsOutOfRange<V, '0', ''>
    ? ['workers', 'workers are whole numbers from 0 on']
    : never

type WrongScaling<V, Kind> = V extends {
  readonly by: 'queueDelay'
  readonly seconds: infer Seconds extends number
}
  ? Kind extends 'balanced'
    ? ['scaling', 'a load-balanced endpoint has no queue: scale by requestCount']
    : `${Seconds}` extends '0' | `-${string}` | `0.${'0' | '1' | '2' | '3' | '4'}${string}`
      ? ['scaling', 'seconds is a number from 0.5 on']
      : never
  : V extends { readonly by: 'requestCount'; readonly requests: infer Requests }
    ? true extends IsOutOfRange<Requests, '1', ''>
      ? ['scaling', 'requests is a whole number from 1 on']
      : never
    : never

type WrongVolumes<V, C> =
  | (V extends { readonly kind: 'global' }
      ? IsGiven<C, 'cpu'> extends true
        ? ['volumes', 'a global volume needs a GPU: use a network volume with cpu']
        : never
      : never)
  | (V extends readonly [infer First, ...infer Rest] ? WrongPlaces<First, Rest> : never)

type WrongPlaces<First, Rest extends readonly unknown[]> = Rest extends readonly [infer Next, ...infer Others]
  ? First extends { readonly dataCenter: infer Place extends string }
    ? { readonly dataCenter: Place } extends Pick<
        Rest[number] & { readonly dataCenter: string },
        'dataCenter'
      >
      ? ['volumes', `two volumes in ${Place}: one in each data center is allowed`]
      : WrongPlaces<Next, Others>
    : ['volumes', 'each of several volumes says its dataCenter']
  : never

type WrongEnv<V> = V extends readonly (infer Name)[]
  ? ReservedName<Name>
  : {
      [K in keyof V & string]: K extends 'RUNPOD_API_KEY'
        ? V[K] extends string
          ? ['env', 'RUNPOD_API_KEY as a literal would be public: name it in a list, or use { secret }']
          : never
        : ReservedName<K>
    }[keyof V & string]

type ReservedName<Name> = Name extends 'RUNPOD_API_KEY'
  ? never
  : Name extends string
    ? string extends Name
      ? never
      : Uppercase<Name> extends `${'FLASH_' | '_FLASH_' | 'RUNPOD_'}${string}` | ReservedWord
        ? ['env', `${Name} is set by the platform or by flash`]
        : never
    : never
type ReservedWord = 'PORT' | 'PORT_HEALTH' | 'MODEL_REVISION' | 'NODE_OPTIONS' | 'LD_PRELOAD'
