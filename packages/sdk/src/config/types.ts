import type { EndpointData, Scaling } from '@flash/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Everything an endpoint can be told. Use it with `satisfies` for a constant that several functions share. */
export interface EndpointConfig extends EndpointData {
  /** Runs once in each worker before its first call; what it returns is the function's second parameter. */
  readonly setup?: (() => unknown) | undefined
  /** Checks the one input on the worker; the function gets what the schema makes of it. */
  readonly input?: StandardSchemaV1 | undefined
  /** Checks the result, or each item of a generator, on the worker. */
  readonly output?: StandardSchemaV1 | undefined
}

/** What a load-balanced endpoint can be told. Use it with `satisfies` for a constant. */
export interface BalancedConfig extends EndpointData {
  readonly name: string
  readonly scaling?: Extract<Scaling, { by: 'requestCount' }> | undefined
  /** Runs once in each worker before its first request; what it returns is `state` of the handlers. */
  readonly setup?: (() => unknown) | undefined
}
