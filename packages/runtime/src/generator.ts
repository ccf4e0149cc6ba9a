import { FrameType, type Message } from '@flash/protocol'
import type { Session } from './session.ts'

export interface GeneratorSource<T> {
  open(): Session
  /** What has to happen before messages come. */
  start?(session: Session): Promise<void>
  /** One thing to yield, or nothing for this message. */
  pick(message: Message, session: Session): Promise<{ value: T } | undefined>
  /** The loop was left early. */
  abandon(session: Session): void
}

/**
 * The messages of a session as a generator: each is read when it is asked for.
 * Unlike a generator's own, its `return()` does not wait for a `next()` that is under way, but ends it.
 */
export function createGenerator<T>(source: GeneratorSource<T>): AsyncGenerator<T, void> {
  let session: Session | undefined
  let started: Promise<void> | undefined
  let over = false
  let last: Promise<unknown> = Promise.resolve()

  const step = async (): Promise<IteratorResult<T, void>> => {
    while (!over) {
      session ??= source.open()
      await (started ??= source.start?.(session))
      const message = await session.next()
      if (isLast(message)) over = true
      const picked = await source.pick(message, session)
      if (picked && !over) return { done: false, value: picked.value }
    }
    return { done: true, value: undefined }
  }
  const advance = () =>
    step().catch((error): IteratorResult<T, void> => {
      if (!over) {
        over = true
        throw error
      }
      return { done: true, value: undefined }
    })
  const abandon = () => {
    if (!over && session) source.abandon(session)
    over = true
  }
  const generator: Omit<AsyncGenerator<T, void>, typeof Symbol.asyncDispose> = {
    next() {
      const result = last.then(advance)
      last = result.catch(() => {})
      return result
    },
    async return(value) {
      abandon()
      return { done: true, value: await value }
    },
    async throw(error) {
      abandon()
      throw error
    },
    [Symbol.asyncIterator]: () => generator as AsyncGenerator<T, void>,
  }
  return generator as AsyncGenerator<T, void>
}

export function isLast({ type }: Message): boolean {
  return type === FrameType.value || type === FrameType.end
}
