import type { Clock } from '@flash/protocol'
import type { Endpoints } from '../endpoints/types.ts'
import type {
  AuthRequestRecord,
  DownloadRecord,
  EndpointRecord,
  FlashAppRecord,
  FlashBuildRecord,
  FlashEnvironmentRecord,
  GlobalVolumeRecord,
  NetworkVolumeRecord,
  PodRecord,
  RegistryRecord,
  SecretRecord,
  TemplateRecord,
  UploadRecord,
} from './records.ts'

/** Everything that exists on the account, by id, in the order it was made. */
export interface Store {
  endpoints: Map<string, EndpointRecord>
  templates: Map<string, TemplateRecord>
  networkVolumes: Map<string, NetworkVolumeRecord>
  globalVolumes: Map<string, GlobalVolumeRecord>
  registries: Map<string, RegistryRecord>
  secrets: Map<string, SecretRecord>
  apps: Map<string, FlashAppRecord>
  environments: Map<string, FlashEnvironmentRecord>
  builds: Map<string, FlashBuildRecord>
  /** By token. */
  uploads: Map<string, UploadRecord>
  /** By token. */
  downloads: Map<string, DownloadRecord>
  authRequests: Map<string, AuthRequestRecord>
  pods: Map<string, PodRecord>
  sshKeys: string[]
}

export function createStore(): Store {
  return {
    endpoints: new Map(),
    templates: new Map(),
    networkVolumes: new Map(),
    globalVolumes: new Map(),
    registries: new Map(),
    secrets: new Map(),
    apps: new Map(),
    environments: new Map(),
    builds: new Map(),
    uploads: new Map(),
    downloads: new Map(),
    authRequests: new Map(),
    pods: new Map(),
    sshKeys: [],
  }
}

/** What every part of the account needs. */
export interface AccountContext {
  clock: Clock
  store: Store
  endpoints: Endpoints
  apiKey: string
  /** Where the emulator answers, without a slash at the end: `http://127.0.0.1:8787`. */
  url(): string
  /** Where a balanced endpoint answers, without a slash at the end. */
  balancedUrl(endpointId: string): string
  /** Artifacts and volumes lie here. */
  folder: string
  /** Aborted when the account is closed. */
  closing: AbortSignal
  /** Work that goes on after its request was answered; `close` waits for it. */
  background(work: Promise<unknown>): void
}
