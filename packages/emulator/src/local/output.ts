import { decodeValue, type JobStatus, type Message, writeForeign } from '@flash/protocol'
import type { Queue } from '../queue/index.ts'

/** A result as the worker sent it, undecoded; of a generator only that its items are all there. */
export type Output = Message | typeof STREAMED

/** The items themselves are in the job's stream, which keeps no more of them than it may. */
export const STREAMED = 'streamed'

export function messageBytes(output: Output): number {
  if (output === STREAMED) return 0
  return output.text.length + output.parts.reduce((bytes, part) => bytes + part.byteLength, 0)
}

/** The result of a job as plain JSON, for a reader that is not one of our stubs. */
export async function plainOutput(queue: Queue, { id, output }: JobStatus): Promise<unknown> {
  if (output === undefined) return undefined
  return output === STREAMED
    ? Promise.all(itemsOf(queue, id).map(plainMessage))
    : plainMessage(output as Message)
}

function itemsOf(queue: Queue, jobId: string): Message[] {
  const items: Message[] = []
  queue.subscribe(jobId, (event) => {
    if (event.type === 'item') items.push(event.item as Message)
  })?.()
  return items
}

export function plainMessage({ rich, text, parts }: Message): unknown {
  return rich ? writeForeign(decodeValue(rich, text, parts, { direction: 'out' })) : JSON.parse(text)
}
