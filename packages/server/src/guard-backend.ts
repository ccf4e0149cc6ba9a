import type { JobStatus, ServerFunction } from '@flash/protocol'
import type { RpcBackend, RpcJob } from './backend.ts'
import { guardAnswer } from './guard-answer.ts'
import { type ErrorFilter, publicStatus } from './redact-error.ts'
import { checkTarget, routesOf } from './target.ts'

export interface GuardOptions {
  /** Everything the app has, by id. */
  functions: ReadonlyMap<string, ServerFunction>
  maxBodyBytes: number
  errors: ErrorFilter
}

/**
 * Waits for what the backend says, and throws what a browser may know of a failure.
 *
 * - `signal`: aborted when nobody waits for it any more, which is no failure.
 */
type Hide = <T>(answer: T | Promise<T>, signal?: AbortSignal) => Promise<T>

/** A backend as browsers may see it: only functions of the app, and of what fails only what is meant for them. */
export function guardBackend(backend: RpcBackend, options: GuardOptions): RpcBackend {
  const { functions, maxBodyBytes, errors } = options
  const hidden: Hide = async (answer, signal) => {
    try {
      return await answer
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw errors.toPublic(error)
    }
  }
  const guarded = async (found: RpcJob | null | Promise<RpcJob | null>) => {
    const job = await hidden(found)
    return job && guardJob(job, errors, hidden)
  }
  return {
    async find(id) {
      const fact = functions.get(id)
      const found = fact ? await hidden(backend.find(id)) : null
      if (!fact || !found) return null
      const { kind, route } = fact
      const routes = routesOf(functions.values(), fact)
      return { ...found, kind, route, routes, maxBodyBytes: Math.min(found.maxBodyBytes, maxBodyBytes) }
    },
    async submit(id, call) {
      checkTarget(functions.get(id)!, call)
      return guardJob(await hidden(backend.submit(id, call)), errors, hidden)
    },
    warm: (id, call) => hidden(backend.warm(id, call)),
    fetch: async (id, request) =>
      guardAnswer(await hidden(backend.fetch(id, request), request.signal), errors),
    seat: backend.seat && ((id, signal) => hidden(backend.seat!(id, signal), signal)),
    job: (endpoint, ref, target) => guarded(backend.job(endpoint, ref, target)),
    jobById: (jobId) => guarded(backend.jobById(jobId)),
  }
}

function guardJob(job: RpcJob, errors: ErrorFilter, hidden: Hide): RpcJob {
  const { id, ref, endpoint, deadline } = job
  return {
    id,
    ref,
    endpoint,
    deadline,
    listen: (from, say) =>
      job.listen(from, (message) => {
        const shown = errors.message(message, `${endpoint}/${id}`)
        if (shown) say(shown)
      }),
    status: async () => publicStatus(await hidden(job.status())) as JobStatus,
    cancel: (reason) => hidden(job.cancel(reason)),
  }
}
