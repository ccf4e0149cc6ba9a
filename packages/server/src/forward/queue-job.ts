import {
  type CallableFact,
  type CallHeader,
  inputShape,
  type S3Config,
  type ServerFunction,
  writeConstruct,
  writeInput,
} from '@flash/protocol'
import type { QueueJob } from '@flash/runtime/server'
import type { CallEnvelope } from '../envelope.ts'

/** A call as a queue takes it: bytes stand in the text, because the queue carries JSON all through. */
export async function toQueueJob(
  fact: ServerFunction,
  { name }: CallableFact,
  call: CallEnvelope,
  header: Pick<CallHeader, 'deadline' | 'hops'>,
): Promise<QueueJob> {
  const construct = fact.kind === 'class' ? await writeConstruct(call.new ?? []) : undefined
  // The arguments were decoded for this call alone, so their bytes need no copy.
  const how = { inline: true, borrow: true }
  const { input } = await writeInput(
    inputShape(fact),
    call.args,
    { fn: name, new: construct, ...header },
    how,
  )
  const { executionTimeoutMs: executionTimeout, ttlMs: ttl, lowPriority, webhook } = call
  const policy = { executionTimeout, ttl, lowPriority }
  const hasPolicy = Object.values(policy).some((value) => value !== undefined)
  return {
    input,
    policy: hasPolicy ? policy : undefined,
    webhook,
    s3Config: call.s3Config as S3Config | undefined,
  }
}
