import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@flash/protocol'
import type { RunningEndpoint } from '../endpoints/types.ts'
import { type Answer, notAllowed, refusal } from '../http/answer.ts'
import { answerWith, type PlaneHost } from '../http/run.ts'
import type { Target } from '../http/target.ts'
import type { DataLimits } from './limits.ts'
import { type Operation, operations } from './operations.ts'
import { createRates, refuseWhenFull } from './rates.ts'
import type { Visit } from './visit.ts'
import { createWebhooks } from './webhooks.ts'

export interface DataHost extends PlaneHost {
  clock: Clock
  limits: DataLimits
}

/** The queues of all endpoints, for their clients. */
export interface DataPlane {
  /** Answers a request whose caller may do this; `target.segments` begins with the operation. */
  answer(
    endpoint: RunningEndpoint,
    target: Target,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>
  close(): void
}

export function createDataPlane(host: DataHost): DataPlane {
  const { clock, faults, limits } = host
  const webhooks = createWebhooks(clock)
  const rates = limits.rates ? createRates(clock) : null

  const work = async (operation: Operation, visit: Visit): Promise<Answer | null> => {
    const { queue } = visit.endpoint
    if (!rates || !operation.rate) return operation.answer(visit)
    const { refused, headers, leave } = rates.enter(queue, operation.rate)
    if (refused) return refused
    visit.response.once('close', leave)
    try {
      const full = refuseWhenFull(visit.endpoint, operation.rate)
      if (full) return full
      const answer = await operation.answer(visit)
      return answer && answer.status < 300
        ? { ...answer, headers: { ...answer.headers, ...headers } }
        : answer
    } finally {
      leave()
    }
  }
  return {
    answer(endpoint, { segments, query }, request, response) {
      const { id, name } = endpoint.spec
      const place = { plane: 'data', endpoint: id, name } as const
      webhooks.watch(endpoint.queue)
      return answerWith(host, place, response, () => {
        const [first = '', ...rest] = segments
        const operation = operations.get(first)
        if (!operation || !takes(operation, rest)) return refusal(404, 'not found')
        if (endpoint.spec.kind === 'balanced' && operation.methods[0] === 'POST')
          return refusal(400, 'not allowed for LB API')
        if (!operation.methods.includes(request.method ?? '')) return notAllowed(operation.methods)
        return work(operation, { endpoint, request, response, rest, query, clock, faults, limits })
      })
    },
    close: webhooks.close,
  }
}

function takes({ id }: Operation, rest: string[]): boolean {
  if (id === 'any') return true
  return id === 'job' ? rest.length === 1 && rest[0] !== '' : rest.length === 0
}
