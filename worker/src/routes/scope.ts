import { AppError, DEADLINE_HEADER, HOPS_HEADER } from '@flash/protocol'
import type { Visit } from '../balanced/visit.ts'
import type { Callee } from '../execute/call.ts'
import { Context, createLog, type FunctionContext, hopsKey } from '../execute/context.ts'
import { attachWorker, type Worker } from '../execute/worker.ts'

/** What `getContext()` gives while a request is answered, and while its WebSocket is open. */
export function createRequestContext(worker: Worker, { definition }: Callee, visit: Visit): FunctionContext {
  return attachWorker(new RequestContext(worker, definition.config.model, visit), worker)
}

/** Most handlers never look: what they would find is made when they do. */
class RequestContext extends Context implements FunctionContext {
  readonly #worker: Worker
  readonly #visit: Visit
  #log: FunctionContext['log'] | undefined

  constructor(worker: Worker, model: string | undefined, visit: Visit) {
    super(worker.endpoint, model)
    this.#worker = worker
    this.#visit = visit
  }

  get signal(): AbortSignal {
    return this.#visit.signal
  }

  get jobId(): string {
    return this.#visit.id
  }

  get attempt(): number {
    return 1
  }

  get deadline(): number | null {
    return this.#visit.deadline ?? readNumber(this.#visit, DEADLINE_HEADER)
  }

  get idempotencyKey(): string | undefined {
    return this.#visit.header('idempotency-key')
  }

  get log(): FunctionContext['log'] {
    return (this.#log ??= createLog((text) => this.#worker.write('stdout', text)))
  }

  get progress(): FunctionContext['progress'] {
    return refuseProgress
  }

  get refreshWorker(): FunctionContext['refreshWorker'] {
    return refuseRefresh
  }

  get [hopsKey](): number {
    return readNumber(this.#visit, HOPS_HEADER) ?? 0
  }
}

/** Of a header that callers of ours send; what others send there is nothing. */
function readNumber(visit: Visit, name: string): number | null {
  const text = visit.header(name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function refuseProgress(): never {
  refuse('progress', 'yield values from an async generator, or return a stream')
}

function refuseRefresh(): never {
  refuse('refreshWorker', 'end the process; the platform starts another worker')
}

function refuse(name: string, hint: string): never {
  throw new AppError('NO_CONTEXT', {
    message: `getContext().${name}() does not exist where requests are answered; it belongs to the jobs of a queue`,
    hint,
  })
}
