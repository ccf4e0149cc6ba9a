import type { Clock } from '@flash/protocol'
import type { RpcJob } from '../backend.ts'
import { forgetOldest } from '../forget-oldest.ts'

/** Calls with an idempotency key, as far as this process remembers: a queue has no such keys. */
export interface SameCalls {
  /** The job that `submit` makes, or what `again` gives for the one that the caller has for this call already. */
  once(call: KeyedCall, submit: () => Promise<RpcJob>, again: (job: SameJob) => RpcJob): Promise<RpcJob>
}

export interface KeyedCall {
  /** Of the function. */
  id: string
  /** Of a class. */
  method: string | undefined
  key: string | undefined
  /** Whose key it is: one that can be guessed must not give away somebody else's result. */
  scope: string | undefined
}

/** Of a job no more than finds it again: results are large. */
type SameJob = Pick<RpcJob, 'id' | 'deadline'>

const rememberedCalls = 10_000

export function createSameCalls(clock: Clock): SameCalls {
  const jobs = new Map<string, { job: Promise<SameJob>; until: number }>()
  const remember = (name: string, job: Promise<SameJob>) => {
    const entry = { job, until: Infinity }
    jobs.delete(name)
    jobs.set(name, entry)
    forgetOldest(jobs, rememberedCalls)
    const forget = () => void (jobs.get(name) === entry && jobs.delete(name))
    job.then(({ deadline }) => void (entry.until = deadline), forget)
  }
  return {
    async once(call, submit, again) {
      if (call.key === undefined) return submit()
      const name = nameOf(call)
      const known = jobs.get(name)
      if (known && known.until > clock.now()) return again(await known.job)
      const submitted = submit()
      remember(
        name,
        submitted.then(({ id, deadline }) => ({ id, deadline })),
      )
      return submitted
    },
  }
}

function nameOf({ id, method, key, scope }: KeyedCall): string {
  return JSON.stringify([id, method, key, scope])
}
