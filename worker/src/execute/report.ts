import { AppError, type Encoded, encodeOutput, queueLimits } from '@flash/protocol'
import type { CallScope } from './call.ts'

export interface ReportOptions {
  /** The caller is not one of our stubs. */
  foreign: boolean
  /** Awaited for an item, before the function is asked for the next one. */
  send(kind: 'item' | 'progress', encoded: Encoded): unknown
  /** Progress that could not be read in the end. */
  onError(error: unknown): void
}

/** What a function says while it runs, on its way to the caller. */
export function createReports({
  foreign,
  send,
  onError,
}: ReportOptions): Pick<CallScope, 'onItem' | 'progress'> {
  const encode = (value: unknown) => encodeOutput(value, { foreign, borrow: true, stack: true })
  return {
    progress(value) {
      const encoded = encode(value)
      if (encoded instanceof Promise) encoded.then((ready) => send('progress', ready)).catch(onError)
      else send('progress', encoded)
    },
    async onItem(value) {
      const encoded = await encode(value)
      checkItem(encoded)
      return send('item', encoded)
    },
  }
}

/** The queue's own limit: it is better to hear of it here, with the function's stack, than from the platform. */
function checkItem({ text, parts }: Encoded): void {
  const textBytes = new TextEncoder().encode(text).byteLength
  const size = parts.reduce((sum, part) => sum + part.byteLength, textBytes)
  if (size <= queueLimits.itemBytes) return
  throw new AppError('PAYLOAD_TOO_LARGE', {
    message: `an item has ${size} bytes, the limit is ${queueLimits.itemBytes}`,
    hint: 'yield smaller items, or put large data in a volume and yield where it is',
  })
}
