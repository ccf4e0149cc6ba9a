import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@flash/protocol'
import type { RunningEndpoint } from '../endpoints/types.ts'
import type { Faults } from '../faults.ts'
import type { DataLimits } from './limits.ts'

/** One request to the queue of an endpoint. */
export interface Visit {
  endpoint: RunningEndpoint
  request: IncomingMessage
  response: ServerResponse
  /** What follows the operation: a job id, or the rest of a path. */
  rest: string[]
  query: string
  clock: Clock
  faults: Faults
  limits: DataLimits
}
