export { noClient } from './no-client.ts'
export { bindClass, bindStub } from './stub.ts'
export { serverClass, serverStub } from './server-stub.ts'
export type { LocalRuntime } from './nearby.ts'
export type {
  Callable,
  CallOptions,
  EndpointInfo,
  Job,
  JobEvent,
  JobStatus,
  MapOptions,
} from './types.ts'
