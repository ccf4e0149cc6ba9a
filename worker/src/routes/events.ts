import { toFailure } from './failure.ts'

export interface EventOptions {
  /** Runs each step where the handler ran. */
  within<T>(step: () => T): T
  /** JSON text of an item. */
  toText(item: unknown): string | Promise<string>
  onError(error: unknown): void
  /** Nothing more is asked for. */
  onEnd?(): void
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/** Server-sent events: each item as `data`, and at last what the iterable throws as an event `error`. */
export function toEvents(
  items: AsyncIterable<unknown> | Iterable<unknown>,
  { within, toText, onError, onEnd }: EventOptions,
): ReadableStream<Uint8Array> {
  const iterator: AnyIterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const encoder = new TextEncoder()
  let left = false
  // What is thrown while it is being left interests nobody any more.
  const leave = () => {
    left = true
    return within(async () => void (await iterator.return?.())).catch(() => {})
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let isAsked = false
        try {
          const { done, value } = await within(async () => iterator.next())
          isAsked = !done
          if (!done) return controller.enqueue(encoder.encode(`data: ${await toText(await value)}\n\n`))
        } catch (error) {
          if (left) return
          onError(error)
          const { status: _, ...failure } = toFailure(error)
          controller.enqueue(encoder.encode(`event: error\ndata: ${JSON.stringify(failure)}\n\n`))
          if (isAsked) void leave()
        }
        onEnd?.()
        controller.close()
      },
      async cancel() {
        // Of a generator that waits for something, this is the end only when it has that.
        void leave().then(() => onEnd?.())
      },
    },
    { highWaterMark: 0 },
  )
}
