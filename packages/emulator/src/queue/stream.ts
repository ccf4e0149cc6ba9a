import { AppError } from '@flash/protocol'

/**
 * The items of one job. All are kept until the job is forgotten, so that a reader can come back for them,
 * up to a limit: then the oldest ones that somebody has read leave.
 */
export interface JobStream {
  /** Index of `kept[0]`. */
  from: number
  kept: { item: unknown; bytes: number }[]
  bytes: number
  /** Index of the first item that `/stream` has not handed out. */
  drained: number
  /** Index of the first item that nobody has read. */
  seen: number
}

export function createStream(): JobStream {
  return { from: 0, kept: [], bytes: 0, drained: 0, seen: 0 }
}

/** Returns the index of the item. */
export function append(stream: JobStream, item: unknown, bytes: number): number {
  stream.bytes += bytes
  return stream.from + stream.kept.push({ item, bytes }) - 1
}

/** Lets go of the oldest items that were read; `false` when those nobody read are still over the limit. */
export function trim(stream: JobStream, limitBytes: number): boolean {
  let gone = 0
  while (stream.bytes > limitBytes && stream.from + gone < stream.seen) {
    stream.bytes -= stream.kept[gone]!.bytes
    gone++
  }
  stream.kept.splice(0, gone)
  stream.from += gone
  stream.drained = Math.max(stream.drained, stream.from)
  return stream.bytes <= limitBytes
}

/** Everything from `drained` on, once. */
export function drain(stream: JobStream): unknown[] {
  const items = stream.kept.slice(stream.drained - stream.from).map((one) => one.item)
  stream.drained = stream.from + stream.kept.length
  stream.seen = stream.drained
  return items
}

/** Items from `fromItem` on, with their indexes. Throws `STREAM_LOST` when they are not kept any more. */
export function replay(
  stream: JobStream,
  fromItem: number,
  each: (item: unknown, index: number) => void,
): void {
  if (fromItem < stream.from) {
    throw new AppError('STREAM_LOST', {
      message: `item ${fromItem} of the stream is not kept any more, the oldest one is ${stream.from}`,
      hint: 'read the stream while it runs, or let the function yield less',
    })
  }
  const end = stream.from + stream.kept.length
  stream.seen = end
  for (let index = fromItem; index < end; index++) each(stream.kept[index - stream.from]!.item, index)
}
