export { RemoteError, type RemoteErrorOptions } from '@flash/protocol'
export type { DevConfig, EnvValue, Scaling, Target } from '@flash/protocol'
export type { Api } from './balanced/api.ts'
export type { Route, RouteCallOptions, RouteInput } from './balanced/route.ts'
export type { RouteOptions } from './balanced/schemas.ts'
export type {
  ConnectOptions,
  SocketHooks,
  SocketMessage,
  SocketPeer,
  SocketRoute,
} from './balanced/socket.ts'
export type { WebApp, WebStub } from './balanced/web.ts'
export type {
  BodyOptions,
  ClientById,
  ClientByImage,
  ClientByName,
  ClientJob,
  ClientJobEvent,
  ClientJobStatus,
  EndpointClient,
  RequestOptions,
  RunOptions,
  WaitOptions,
} from './client/types.ts'
export type { BalancedConfig, EndpointConfig } from './config/types.ts'
export { type FlashContext, getContext } from './context.ts'
export { endpoint } from './endpoint.ts'
export { CpuInstance, CudaVersion, DataCenter, GpuGroup, GpuType } from './hardware.ts'
export type { CallOptions, Job, JobEvent, JobStatus, MapOptions, Methods } from './job.ts'
export { remote, unchecked } from './remote.ts'
export type { Unchecked } from './check.ts'
export type { Remote } from './stub.ts'
export { type Metric, onMetric } from '@flash/runtime/server'
export { PodTemplate } from './template.ts'
export { GlobalVolume, NetworkVolume } from './volume.ts'
