export { bindClass, bindStub } from './stub.ts'
export { serverClass, serverStub } from './server-stub.ts'
export type { DevRuntime } from './dev.ts'
export type {
  Callable,
  CallOptions,
  EndpointInfo,
  Job,
  JobEvent,
  JobStatus,
  MapOptions,
} from './types.ts'
