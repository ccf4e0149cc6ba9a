export {
  type BalancedFunction,
  createBalancedEndpoint,
  type LocalBalanced,
} from './balanced.ts'
export type { EndpointContext, EndpointSettings, LocalFunction } from './context.ts'
export { createEndpoint } from './endpoint.ts'
export type { LocalEndpoint, LocalSubmission } from './endpoint.ts'
export { type Exit, type Launched, launchProcess } from './launch.ts'
export type { LocalSeat } from './local-seat.ts'
export { plainMessage, plainOutput, STREAMED } from './output.ts'
