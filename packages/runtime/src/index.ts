export { bindClass, bindRoute, bindSocket, bindStub, bindWeb, noClient } from './page.ts'
export { serverClass, serverRoute, serverSocket, serverStub, serverWeb } from './server-stub.ts'
export type { LocalRuntime } from './nearby.ts'
export type { CallOptions, Job, JobEvent, JobStatus, MapOptions } from './types.ts'
