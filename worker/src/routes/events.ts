import { toFailure } from './failure.ts'

export interface EventOptions {
  /** Runs each step where the handler ran. */
  within<T>(step: () => T): T
  onError(error: unknown): void
  /** By which the log knows it. */
  readonly requestId?: string
  /** Nothing more is asked for. */
  readonly onEnd?: (() => void) | undefined
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/**
 * Server-sent events: each item as `data`, and at last what the iterable throws as an event `error`.
 *
 * - `toText`: JSON text of an item.
 */
export function toEvents(
  items: AsyncIterable<unknown> | Iterable<unknown>,
  toText: (item: unknown) => Promise<string>,
  options: EventOptions,
): ReadableStream<Uint8Array> {
  const { onEnd } = options
  const iterator: AnyIterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const encoder = new TextEncoder()
  let left = false
  // What is thrown while it is being left interests nobody any more.
  const leave = () => {
    left = true
    return options.within(async () => void (await iterator.return?.())).catch(() => {})
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let isAsked = false
        try {
          const { done, value } = await options.within(async () => iterator.next())
          isAsked = !done
          if (!done) return controller.enqueue(encoder.encode(`data: ${await toText(await value)}\n\n`))
        } catch (error) {
          if (left) return
          options.onError(error)
          const { status: _, ...failure } = toFailure(error, options.requestId)
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
