import { createHash } from 'node:crypto'
import { AppError, type Clock, encodeValue } from '@flash/protocol'
import type { RpcJob } from './backend.ts'
import type { CallEnvelope, RpcCaller } from './envelope.ts'
import { forgetOldest } from './forget-oldest.ts'

/** Results are kept that long after a job ended, and its token is good for nothing afterwards. */
export const KEPT_MS = 1_800_000

/** Calls with an idempotency key, as far as this process remembers. */
export interface Keys {
  /**
   * Submits a call with the scope of its key, so that backends give one job to those of one caller.
   *
   * - throws `BAD_REQUEST` for a key that the caller used with another input of the same function or method.
   */
  once(
    id: string,
    call: CallEnvelope,
    caller: RpcCaller,
    submit: (call: CallEnvelope) => Promise<RpcJob>,
  ): Promise<RpcJob>
}

interface Entry {
  input: string
  until: number
  /** Calls of which it is not known yet whether they are accepted. */
  pending: number
}

const rememberedKeys = 10_000

export function createKeys(clock: Clock): Keys {
  const entries = new Map<string, Entry>()
  const enter = (name: string, input: string, key: string): Entry => {
    const known = entries.get(name)
    if (known && (known.pending > 0 || known.until > clock.now())) {
      if (known.input !== input) throw otherInput(key)
      return known
    }
    const entry = { input, until: 0, pending: 0 }
    entries.delete(name)
    entries.set(name, entry)
    forgetOldest(entries, rememberedKeys)
    return entry
  }
  return {
    async once(id, call, caller, submit) {
      const { idempotencyKey: key, fn } = call
      if (key === undefined) return submit(call)
      const scope = hash(JSON.stringify([caller.kind, caller.subject]))
      const entry = enter(hash(JSON.stringify([id, fn, scope, key])), await hashInput(call), key)
      entry.pending++
      try {
        const job = await submit({ ...call, scope })
        entry.until = Math.max(entry.until, job.deadline + KEPT_MS)
        return job
      } finally {
        entry.pending--
      }
    },
  }
}

async function hashInput({ args, new: construct }: CallEnvelope): Promise<string> {
  const { text } = await encodeValue([args, construct ?? []], 'in', { inline: true, borrow: true })
  return hash(text)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

function otherInput(key: string): AppError {
  return new AppError('BAD_REQUEST', {
    message: `the idempotencyKey "${key.slice(0, 64)}" was used before, for a call with another input`,
    hint: 'give each call a key of its own; the same key means the same call',
  })
}
