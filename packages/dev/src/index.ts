export { endpointKey } from './endpoints.ts'
export {
  createDevServer,
  type DevHost,
  type DevLog,
  type DevServer,
  type DevServerOptions,
} from './server.ts'
export { stateFolder } from '@flash/server'
export type { Isolation } from './workers/launch.ts'
