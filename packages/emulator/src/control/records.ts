/** What the account keeps of each thing on it; names of fields are GraphQL's, which knows the most. */

export interface Variable {
  key: string
  value: string
}

/** What a template says about a container. */
export interface TemplateFields {
  name: string
  imageName: string
  /** Overrides the start command of the image; empty for the image's own. */
  dockerArgs: string
  containerDiskInGb: number
  env: Variable[]
  /** `80/http,22/tcp` */
  ports: string
  /** Id of a registry; empty or `null` for a public image. */
  containerRegistryAuthId: string | null
  volumeInGb: number
  volumeMountPath: string
  readme: string
  isServerless: boolean
  isPublic: boolean
  startScript: string
  advancedStart: boolean
  config: unknown
  category: 'NVIDIA' | 'AMD' | 'CPU'
  startSsh: boolean
  startJupyter: boolean
  allowedCudaVersions: string[]
}

export interface TemplateRecord extends TemplateFields {
  id: string
  /** The endpoint that it was made with and leaves with; `null` for one that stands alone. */
  boundTo: string | null
}

export type ScalerType = 'QUEUE_DELAY' | 'REQUEST_COUNT'
export type FlashBootType = 'OFF' | 'FLASHBOOT' | 'PRIORITY_FLASHBOOT'

/** What can be set of an endpoint, as it was sent: clients compare what they read with what they wrote. */
export interface EndpointSettings {
  name: string
  type: 'QB' | 'LB'
  /** Pool ids, and cards with a minus in front: `AMPERE_24,-NVIDIA L4`. `null` for one on CPUs. */
  gpuIds: string | null
  gpuCount: number | null
  allowedCudaVersions: string | null
  minCudaVersion: string | null
  /** `cpu3c-2-4`; `null` for one on GPUs. */
  instanceIds: string[] | null
  /** Data centres, separated by commas; `null` or empty for any. */
  locations: string | null
  networkVolumeId: string | null
  networkVolumeIds: { networkVolumeId: string }[]
  /** Global volumes. */
  volumes: { volumeId: string; volumeType: string | null }[]
  modelReferences: string[]
  flashEnvironmentId: string | null
  scalerType: ScalerType
  /** Seconds or requests. */
  scalerValue: number
  workersMin: number
  workersMax: number
  workersStandby: number
  workersPFBTarget: number
  /** Seconds. */
  idleTimeout: number
  /** 0 for the platform's own limit. */
  executionTimeoutMs: number
  flashBootType: FlashBootType | null
}

export interface EndpointRecord extends EndpointSettings {
  id: string
  templateId: string
  /** A key that opens this endpoint only. */
  aiKey: string
  createdAt: number
  /** Rises with everything that containers are made of. */
  version: number
  /** What containers are made of, as of `version`. */
  configuration: Record<string, unknown>
  /** Newest first. */
  releases: ReleaseRecord[]
}

export interface ReleaseRecord {
  id: string
  version: number
  createdAt: number
  diff: { field: string; old: unknown; new: unknown }[]
}

export interface NetworkVolumeRecord {
  id: string
  name: string
  sizeGb: number
  dataCenterId: string
  type: 'STANDARD' | 'HIGH_PERFORMANCE'
}

export interface GlobalVolumeRecord {
  id: string
  name: string
}

export interface RegistryRecord {
  id: string
  name: string
  username: string
  password: string
}

export interface SecretRecord {
  id: string
  name: string
  value: string
  description: string | null
  createdAt: number
}

export interface FlashAppRecord {
  id: string
  name: string
}

export interface FlashEnvironmentRecord {
  id: string
  appId: string
  name: string
  createdAt: number
  activeBuildId: string | null
}

export interface FlashBuildRecord {
  id: string
  appId: string
  objectKey: string
  createdAt: number
  manifest: unknown
}

/** An archive that may be sent, once, by whoever has the token. */
export interface UploadRecord {
  token: string
  appId: string
  objectKey: string
  /** What the client said the archive has. */
  declaredBytes: number
  expiresAt: number
  state: 'waiting' | 'receiving' | 'received' | 'used'
}

export interface DownloadRecord {
  objectKey: string
  expiresAt: number
}

export type AuthState = 'PENDING' | 'APPROVED' | 'DENIED' | 'CONSUMED' | 'EXPIRED'

export interface AuthRequestRecord {
  id: string
  state: AuthState
  expiresAt: number
  /** What the form of its page sends back. */
  formToken: string
}

export interface PodRecord {
  id: string
  name: string
  state: 'RUNNING' | 'EXITED'
  imageName: string
  dockerArgs: string
  containerDiskInGb: number
  env: Variable[]
  ports: string[]
  registryId: string | null
  gpu: { typeId: string; count: number } | null
  /** `cpu3c-2-4` */
  instanceId: string | null
  dataCenterId: string | null
  cloud: 'SECURE' | 'COMMUNITY'
  templateId: string | null
  mounts: { persistent?: { size: number; path: string }; network?: { volumeId: string; path: string }[] }
  isLocked: boolean
  createdAt: number
}
