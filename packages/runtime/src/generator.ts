import { FrameType, type Message } from '@flash/protocol'
import { pullGenerator } from './pull.ts'
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

/** The messages of a session as a generator; none is asked for before the first item is. */
export function createGenerator<T>(source: GeneratorSource<T>): AsyncGenerator<T, void> {
  let session: Session | undefined
  let started: Promise<void> | undefined
  return pullGenerator<T>({
    async next(isOver) {
      while (!isOver()) {
        session ??= source.open()
        await (started ??= source.start?.(session))
        const message = await session.next()
        if (isLast(message)) return undefined
        const picked = await source.pick(message, session)
        if (picked) return picked
      }
      return undefined
    },
    abandon() {
      if (session) source.abandon(session)
    },
  })
}

export function isLast({ type }: Message): boolean {
  return type === FrameType.value || type === FrameType.end
}
