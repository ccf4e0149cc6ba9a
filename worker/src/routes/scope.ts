import { AppError } from '@flash/protocol'
import type { Callee } from '../execute/call.ts'
import { attachHops, createContext, createLog, type FunctionContext } from '../execute/context.ts'
import { attachWorker, type Worker } from '../execute/worker.ts'

/** What `getContext()` gives while a request is answered, and while its WebSocket is open. */
export function createRequestContext(
  worker: Worker,
  { definition }: Callee,
  { signal, headers }: Request,
): FunctionContext {
  const context = createContext({
    signal,
    jobId: crypto.randomUUID(),
    attempt: 1,
    deadline: null,
    endpoint: worker.endpoint,
    log: createLog((text) => worker.write('stdout', text)),
    progress: () => refuse('progress', 'yield values from an async generator, or return a stream'),
    idempotencyKey: headers.get('idempotency-key') ?? undefined,
    refreshWorker: () => refuse('refreshWorker', 'end the process; the platform starts another worker'),
    model: definition.config.model,
  })
  return attachHops(attachWorker(context, worker))
}

function refuse(name: string, hint: string): never {
  throw new AppError('NO_CONTEXT', {
    message: `getContext().${name}() does not exist where requests are answered; it belongs to the jobs of a queue`,
    hint,
  })
}
