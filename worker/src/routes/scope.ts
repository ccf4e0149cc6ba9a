import { AppError, DEADLINE_HEADER, HOPS_HEADER } from '@flash/protocol'
import type { Visit } from '../balanced/visit.ts'
import type { Callee } from '../execute/call.ts'
import { attachHops, createContext, createLog, type FunctionContext } from '../execute/context.ts'
import { attachWorker, type Worker } from '../execute/worker.ts'

/** What `getContext()` gives while a request is answered, and while its WebSocket is open. */
export function createRequestContext(worker: Worker, { definition }: Callee, visit: Visit): FunctionContext {
  const context = createContext({
    signal: visit.signal,
    jobId: crypto.randomUUID(),
    attempt: 1,
    deadline: readNumber(visit, DEADLINE_HEADER),
    endpoint: worker.endpoint,
    log: createLog((text) => worker.write('stdout', text)),
    progress: () => refuse('progress', 'yield values from an async generator, or return a stream'),
    idempotencyKey: visit.header('idempotency-key'),
    refreshWorker: () => refuse('refreshWorker', 'end the process; the platform starts another worker'),
    model: definition.config.model,
  })
  return attachHops(attachWorker(context, worker), readNumber(visit, HOPS_HEADER) ?? 0)
}

/** Of a header that callers of ours send; what others send there is nothing. */
function readNumber(visit: Visit, name: string): number | null {
  const text = visit.header(name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function refuse(name: string, hint: string): never {
  throw new AppError('NO_CONTEXT', {
    message: `getContext().${name}() does not exist where requests are answered; it belongs to the jobs of a queue`,
    hint,
  })
}
