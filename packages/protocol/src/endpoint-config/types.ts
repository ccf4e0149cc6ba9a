import type { CpuInstance, CudaVersion, DataCenter, GpuGroup, GpuType, Open } from '../hardware.ts'

/** A value of a variable: text that everybody may read, or the name of a secret of the account. */
export type EnvValue = string | { readonly secret: string }

/** Storage in one data centre that outlives workers, seen by code at `FLASH_VOLUME`. Made when it does not exist. */
export interface NetworkVolume {
  readonly kind: 'network'
  /** A volume of the account; without it the volume is found, or made, by `name`. */
  readonly id?: string | undefined
  readonly name?: string | undefined
  /** 100 (10–4096); used only when the volume is made. */
  readonly sizeGb?: number | undefined
  /** Where it is; chosen by stock when omitted. Needed on each of several volumes that are named. */
  readonly dataCenter?: Open<DataCenter> | undefined
  /** `true`; with `false` a missing volume is an error. */
  readonly create?: boolean | undefined
}

/** Storage that workers in every data centre share; GPU endpoints only. */
export interface GlobalVolume {
  readonly kind: 'global'
  readonly id?: string | undefined
  readonly name?: string | undefined
  /** `true`; with `false` a missing volume is an error. */
  readonly create?: boolean | undefined
}

/** The container a worker starts from, written once for several endpoints. What the endpoint says itself wins. */
export interface PodTemplate {
  readonly kind: 'template'
  /** A template of the account; excludes the other fields. */
  readonly id?: string | undefined
  readonly image?: string | undefined
  readonly diskGb?: number | undefined
  readonly args?: string | undefined
  readonly ports?: readonly string[] | undefined
  readonly registryAuthId?: string | undefined
  readonly env?: readonly string[] | Readonly<Record<string, EnvValue>> | undefined
}

export type Target = 'local' | 'docker' | 'live'

export interface DevConfig {
  /** Where calls run while developing; the plugin's own `target` when omitted. */
  readonly target?: Target | undefined
  /** Worker processes of target `local`: 1. */
  readonly workers?: number | undefined
  /** `false`; lets a live endpoint keep its minimum of workers, which costs money without a call. */
  readonly keepWarm?: boolean | undefined
}

export type Scaling =
  | { readonly by: 'queueDelay'; readonly seconds: number }
  | { readonly by: 'requestCount'; readonly requests: number }

/** The fields of an endpoint's config that are data. Code (`setup`, `input`, `output`) comes on top where it is written. */
export interface EndpointData {
  /** 3–63 letters, digits, `.`, `_` and `-`; made from file and export when omitted. */
  readonly name?: string | undefined
  /** `'any'` unless `cpu` is given. A list is in order of preference. */
  readonly gpu?: Open<GpuType | GpuGroup | 'any'> | readonly Open<GpuType | GpuGroup>[] | undefined
  /** GPUs of one worker: 1. */
  readonly gpuCount?: number | undefined
  /** `{flavour}-{vCPUs}-{RAM in GB}`; excludes `gpu`, `gpuCount` and the CUDA fields. */
  readonly cpu?: Open<CpuInstance> | readonly Open<CpuInstance>[] | undefined
  /** None; excludes `allowedCudaVersions`. */
  readonly minCudaVersion?: Open<CudaVersion> | undefined
  /** None; excludes `minCudaVersion`. */
  readonly allowedCudaVersions?: readonly Open<CudaVersion>[] | undefined
  /** `[0, 1]`; `n` is `[0, n]`. */
  readonly workers?: number | readonly [min: number, max: number] | undefined
  /** 60 (1–3600): how long a worker without work stays. */
  readonly idleTimeoutSeconds?: number | undefined
  /** 600_000 (5_000–604_800_000): the longest a call may run. */
  readonly executionTimeoutMs?: number | undefined
  /** When to add a worker: queue 4 s of delay (≥ 0.5); balanced 4 requests, the only kind there. */
  readonly scaling?: Scaling | undefined
  /** Calls that one worker runs at a time: 1. */
  readonly maxConcurrency?: number | undefined
  /** `true`: workers start from a snapshot; `'priority'` reserves the place for it. */
  readonly flashboot?: boolean | 'priority' | undefined
  /** None: anywhere. */
  readonly dataCenters?: Open<DataCenter> | readonly Open<DataCenter>[] | undefined
  /** Network volumes, at most one in each data centre, or one global volume. */
  readonly volumes?: NetworkVolume | GlobalVolume | readonly NetworkVolume[] | undefined
  /** `owner/name` or `owner/name:revision`: weights that lie beside the worker before it starts. */
  readonly model?: `${string}/${string}` | undefined
  /** Names to take from this machine, or values. Values are public: they are in the manifest. */
  readonly env?: readonly string[] | Readonly<Record<string, EnvValue>> | undefined
  /** npm packages installed on the worker instead of bundled: `name` or `name@version`. */
  readonly dependencies?: readonly string[] | undefined
  /** Debian packages of the worker's container. */
  readonly systemDependencies?: readonly string[] | undefined
  /** `true`: packages are fetched in parallel. */
  readonly accelerateDownloads?: boolean | undefined
  /** A container image of one's own. */
  readonly image?: string | undefined
  /** Container disk: 64; on `cpu` its limit, 10 or 15 GB for each vCPU. */
  readonly diskGb?: number | undefined
  /** Replaces the command the container starts with. */
  readonly args?: string | undefined
  /** `8080/http`, `22/tcp`. */
  readonly ports?: readonly string[] | undefined
  /** The account's credential for a private registry. */
  readonly registryAuthId?: string | undefined
  readonly template?: PodTemplate | undefined
  /** Instances of a class that one worker keeps: 16. */
  readonly instances?: number | undefined
  readonly dev?: DevConfig | undefined
}

export interface GpuCompute {
  readonly kind: 'gpu'
  /** In order of preference; `['any']` for every group. */
  readonly names: readonly string[]
  readonly count: number
  readonly minCudaVersion: string | null
  /** Empty: none. */
  readonly allowedCudaVersions: readonly string[]
}

export interface CpuCompute {
  readonly kind: 'cpu'
  /** In order of preference. */
  readonly instances: readonly string[]
}

export type ResolvedVolume =
  | {
      readonly kind: 'network'
      readonly id: string | null
      readonly name: string | null
      readonly sizeGb: number
      readonly dataCenter: string | null
      readonly create: boolean
    }
  | {
      readonly kind: 'global'
      readonly id: string | null
      readonly name: string | null
      readonly create: boolean
    }

/** One variable: taken by name from where the call is made from, a public value, or a secret of the account. */
export type ResolvedEnv =
  | { readonly name: string; readonly kind: 'byName' }
  | { readonly name: string; readonly kind: 'literal'; readonly value: string }
  | { readonly name: string; readonly kind: 'secret'; readonly secret: string }

/** A config with every default filled in and every rule checked: plain JSON, the same for dev, build and deploy. */
export interface ResolvedEndpointConfig {
  readonly kind: 'queue' | 'balanced'
  /** `null`: derived from file and export. */
  readonly name: string | null
  readonly compute: GpuCompute | CpuCompute
  readonly workers: { readonly min: number; readonly max: number }
  readonly idleTimeoutSeconds: number
  readonly executionTimeoutMs: number
  readonly scaling: Scaling
  readonly maxConcurrency: number
  readonly flashboot: boolean | 'priority'
  /** Empty: anywhere. */
  readonly dataCenters: readonly string[]
  readonly volumes: readonly ResolvedVolume[]
  readonly model: { readonly owner: string; readonly name: string; readonly revision: string | null } | null
  readonly env: readonly ResolvedEnv[]
  readonly dependencies: readonly string[]
  readonly systemDependencies: readonly string[]
  readonly accelerateDownloads: boolean
  readonly image: string | null
  /** `null` only where the template of `templateId` decides. */
  readonly diskGb: number | null
  readonly args: string | null
  readonly ports: readonly string[]
  readonly registryAuthId: string | null
  /** A template of the account to start from. Fields of an inline template are merged into this config. */
  readonly templateId: string | null
  /** Which of the fields that are code the config has. */
  readonly code: { readonly setup: boolean; readonly input: boolean; readonly output: boolean }
  readonly instances: number
  readonly dev: { readonly target: Target | null; readonly workers: number; readonly keepWarm: boolean }
}
