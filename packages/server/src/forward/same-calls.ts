import { createHash } from 'node:crypto'
import type { Clock, QueueInput } from '@flash/protocol'
import type { RpcJob } from '../backend.ts'
import type { RpcCaller } from '../envelope.ts'

/** Calls with an idempotency key, as far as this process remembers: a queue has no such keys. */
export interface SameCalls {
  /** The job that the caller has for this call already; otherwise `submit` makes it. */
  once(call: KeyedCall, submit: () => Promise<RpcJob>): Promise<RpcJob>
}

export interface KeyedCall {
  /** Of the function. */
  id: string
  key: string | undefined
  caller: RpcCaller | undefined
  input: QueueInput
}

const rememberedCalls = 10_000

export function createSameCalls(clock: Clock): SameCalls {
  const jobs = new Map<string, { job: Promise<RpcJob>; until: number }>()
  return {
    async once(call, submit) {
      if (call.key === undefined) return submit()
      const name = nameOf(call)
      const known = jobs.get(name)
      if (known && known.until > clock.now()) return known.job
      const entry = { job: submit(), until: Infinity }
      jobs.delete(name)
      jobs.set(name, entry)
      if (jobs.size > rememberedCalls) jobs.delete(jobs.keys().next().value!)
      try {
        const job = await entry.job
        entry.until = job.deadline
        return job
      } catch (error) {
        if (jobs.get(name) === entry) jobs.delete(name)
        throw error
      }
    },
  }
}

/** Whose call it is is a part of it: a key that can be guessed must not give away somebody else's result. */
function nameOf({ id, key, caller, input }: KeyedCall): string {
  const isAnonymous = caller?.kind === 'page' && caller.subject === null
  // Whoever has no name shows by the input that the call is the same.
  const proof = isAnonymous && createHash('sha256').update(JSON.stringify(input)).digest('base64')
  return JSON.stringify([id, key, caller?.kind, caller?.subject, proof])
}
