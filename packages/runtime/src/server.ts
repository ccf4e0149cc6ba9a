/** What servers of an app build on, and pages never load. */
export { findCodings } from './balanced/codings.ts'
export { decodeAnswer } from './balanced/decode-answer.ts'
export { createFrameSend } from './balanced/frames.ts'
export { readPlatformRefusal } from './balanced/platform.ts'
export { openNearby, openRemoteSocket } from './balanced/remote-socket.ts'
export { createRoute } from './balanced/route.ts'
export { createSocket } from './balanced/socket.ts'
export { steadyFetch, type SteadyParts } from './balanced/steady-fetch.ts'
export type {
  BalancedRequest,
  ConnectBalanced,
  SendBalanced,
} from './balanced/types.ts'
export { createWeb } from './balanced/web.ts'
export { bindServerStubs, type ServerStubs } from './bind-server.ts'
export { findBundles, findBundlesServer } from './bundles.ts'
export { createCallable } from './callable.ts'
export { currentCaller } from './caller.ts'
export {
  callerName,
  type Chain,
  continueChain,
  fromChainHeaders,
  inheritSignal,
  limitChain,
  toChainHeaders,
} from './chain.ts'
export { createClass } from './class.ts'
export { findDev, findDevPlace, findDevServer, isDeveloping } from './dev.ts'
export { createGuard, type Guard, startTimer } from './guard.ts'
export { createJob } from './job.ts'
export { type Metric, onMetric } from './metrics.ts'
export { type LocalPlace, type OpenServer, postInside } from './nearby.ts'
export { createRegistry, type FoundBalanced, type Registry, type RegistryOptions } from './registry.ts'
export {
  accountKey,
  type Env,
  type KeyVariable,
  readBase,
  readKey,
  readVariable,
  toBalancedUrl,
  toText,
} from './registry/variables.ts'
export { createQueueClient } from './send/queue.ts'
export type { Follow, News, QueueAddress, QueueClient, QueueClientOptions, QueueJob } from './send/types.ts'
export { Session } from './session.ts'
export type { CallSettings } from './settings.ts'
export { chooseSteadily, createSteady, createSteadyClient, createSteadyParts, type Steady } from './steady.ts'
export type { Post } from './types.ts'
export { wakingClock } from './waking-clock.ts'
