import { FrameType, type Message } from '@flash/protocol'
import type { Session } from './session.ts'
import type { Target } from './types.ts'

/** Waits for the result of a call; `collect` makes it the list of a generator's items. */
export async function toResult(session: Session, target: Target, collect: boolean): Promise<unknown> {
  const items: unknown[] = []
  for (;;) {
    const message = await session.next()
    if (message.type === FrameType.item && collect) items.push(await session.read(message))
    else if (message.type === FrameType.log) printLog(message, target)
    else if (message.type === FrameType.end || message.type === FrameType.value) {
      return collect ? items : session.read(message)
    }
  }
}

/** Shows in the page's console what the function wrote; a server has it in its own output already. */
export function printLog(message: Message, target: Target): void {
  if (target.server) return
  const { stream, text } = JSON.parse(message.text)
  const line = `[flash] ${String(text).replace(/\n$/, '')}`
  if (stream === 'stderr') console.error(line)
  else console.log(line)
}
