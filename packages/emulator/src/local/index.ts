export { createEndpoint, type EndpointContext, type EndpointSettings } from './endpoint.ts'
export type { LocalEndpoint, LocalFunction, LocalSubmission } from './endpoint.ts'
export { type Exit, type Launched, launchProcess } from './launch.ts'
export { plainMessage, plainOutput, STREAMED } from './output.ts'
