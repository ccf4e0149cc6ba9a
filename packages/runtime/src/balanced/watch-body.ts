/** What somebody wants to know about a body that others read. */
export interface BodyWatcher {
  /** It was read to its end, broke, or nobody wants the rest. */
  onEnd(): void
  /** What reading fails with, of what it failed with. */
  toError(cause: unknown): unknown
}

/** The same bytes, pulled as they are asked for. */
export function watchBody(
  body: ReadableStream<Uint8Array>,
  { onEnd, toError }: BodyWatcher,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value as Uint8Array<ArrayBuffer>)
          onEnd()
          controller.close()
        } catch (cause) {
          onEnd()
          throw toError(cause)
        }
      },
      async cancel(reason) {
        onEnd()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
