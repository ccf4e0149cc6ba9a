import {
  encodeCall,
  endType,
  frameEnd,
  frameText,
  isPassing,
  isSurelyPlain,
  jobType,
  valueType,
} from './quick-frames.ts'
import type { Target } from './types.ts'

/** How far a call came before something unusual happened; empty when nothing was sent. */
export interface Begun {
  response?: Response
  /** What sending or reading failed with. */
  failure?: unknown
  reader?: Reader
  /** Received and not understood yet. */
  bytes?: Uint8Array
  /** Text of the `job` message. */
  job?: string
}

export type Reader = ReadableStreamDefaultReader<Uint8Array>

/** Three keep-alives: a connection this quiet is dead, whatever the network says. */
const quietMs = 45_000

/** An answer longer than this is put together by the protocol's reader, which copies less. */
const quickBytes = 65_536

export const isOurs = (response: Response) => response.headers.get('x-flash') === '1'

/** The next bytes; `undefined` at the end, and when nothing came for too long. */
export async function read(reader: Reader): Promise<Uint8Array | undefined> {
  const timer = setTimeout(leave, quietMs, reader)
  const { value } = await reader.read().finally(() => clearTimeout(timer))
  return value
}

export const leave = (reader: Reader) => {
  reader.cancel().catch(() => {})
}

/** Lets an answer that is complete run out, so that the connection can carry the next call. */
const finish = (reader: Reader) => {
  reader.read().catch(() => {})
}

/**
 * A call in the common case: plain arguments, no options, a plain result.
 * Everything else is carried on from where it stands by what is loaded then.
 */
export async function call(
  target: Target,
  args: unknown[],
  carryOn: (begun: Begun) => unknown,
): Promise<unknown> {
  const begun: Begun = {}
  const value = { ...target.bound, args }
  if (isSurelyPlain(value)) {
    try {
      const response = (begun.response = await target.post(target.ref, encodeCall(JSON.stringify(value))))
      if (response.ok && isOurs(response)) {
        const text = await readQuickly(begun, (begun.reader = response.body!.getReader()))
        if (text !== undefined) return text ? JSON.parse(text) : undefined
      }
    } catch (failure) {
      begun.failure = failure
    }
  }
  return carryOn(begun)
}

/** The text of a plain result, empty when the answer is that there is none; `undefined` when it is something else. */
async function readQuickly(begun: Begun, reader: Reader): Promise<string | undefined> {
  let bytes: Uint8Array = new Uint8Array()
  for (;;) {
    const end = frameEnd(bytes)
    if (end > quickBytes) return undefined
    if (end > bytes.length) {
      const chunk = await read(reader)
      if (!chunk) return undefined
      bytes = bytes.length ? join(bytes, chunk) : chunk
    } else {
      const type = bytes[0]!
      const text = frameText(bytes, end)
      if (type === valueType || type === endType) {
        finish(reader)
        return text
      }
      if (type === jobType) begun.job = text
      else if (!isPassing(type)) return undefined
      bytes = bytes.subarray(end)
    }
    begun.bytes = bytes
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
