/** What servers of an app build on, and pages never load. */
export { bindServerStubs, type ServerStubs } from './bind-server.ts'
export { findBundles } from './bundles.ts'
export { currentCaller } from './caller.ts'
export { findDev, isDeveloping } from './dev.ts'
export { createGuard, type Guard, startTimer } from './guard.ts'
export { createJob } from './job.ts'
export { type Metric, onMetric } from './metrics.ts'
export { postInside } from './nearby.ts'
export { createRegistry, type RegistryOptions } from './registry.ts'
export {
  accountKey,
  type Env,
  type KeyVariable,
  readBase,
  readKey,
  readVariable,
  toText,
} from './registry/variables.ts'
export { createQueueClient } from './send/queue.ts'
export type { Follow, News, QueueAddress, QueueClient, QueueClientOptions, QueueJob } from './send/types.ts'
export { Session } from './session.ts'
export type { CallSettings } from './settings.ts'
export { createSteady, type Steady } from './steady.ts'
export type { Post } from './types.ts'
export { wakingClock } from './waking-clock.ts'
