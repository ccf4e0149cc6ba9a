import { AppError } from '@flash/protocol'
import type { serveBalanced } from '../balanced/serve.ts'
import type { Definition } from '../execute/definition.ts'
import type { createAnswer } from './answer.ts'
import type { toFailureResponse } from './failure.ts'

/** What answers requests. It comes with routes and web apps, so that workers with a queue do not carry it. */
export interface BalancedRuntime {
  createAnswer: typeof createAnswer
  serveBalanced: typeof serveBalanced
  toFailureResponse: typeof toFailureResponse
}

/** The first that definitions bring; throws `UNKNOWN_FUNCTION` when none of them is a route or a web app. */
export function runtimeOf(definitions: Iterable<Definition>): BalancedRuntime {
  for (const { balanced } of definitions) if (balanced) return balanced as BalancedRuntime
  throw new AppError('UNKNOWN_FUNCTION', {
    message: 'the modules of this worker define no route and no web app',
    hint: 'build again; while developing, save the file once more',
  })
}
