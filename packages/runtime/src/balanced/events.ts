import { RemoteError } from '@flash/protocol'

/** One server-sent event. */
export interface ServerEvent {
  /** Empty when it has none of its own. */
  type: string
  data: string
}

export interface EventReader {
  push(chunk: Uint8Array): void
  /** Whether nothing was cut short. */
  end(): boolean
}

/** Of one event, in characters. */
const eventLimit = 67_108_864

/** Turns the bytes of an event stream, as they come, into events; throws `PAYLOAD_TOO_LARGE`. */
export function createEventReader(onEvent: (event: ServerEvent) => void): EventReader {
  const decoder = new TextDecoder()
  let line = ''
  let isAfterReturn = false
  let event: { type: string; data?: string } = { type: '' }

  const take = (text: string) => {
    if (text === '') {
      const { type, data } = event
      event = { type: '' }
      if (data !== undefined) onEvent({ type, data })
      return
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(text)!
    if (field === 'event') event.type = value
    if (field === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`
  }
  const read = (text: string) => {
    // The second half of a line's end may come later than the first.
    const fresh = isAfterReturn && text[0] === '\n' ? text.slice(1) : text
    if (text) isAfterReturn = text.endsWith('\r')
    const [first = '', ...rest] = fresh.split(/\r\n|\r|\n/)
    line += first
    if (line.length + (event.data?.length ?? 0) > eventLimit) throw tooLarge()
    for (const next of rest) {
      take(line)
      line = next
    }
  }
  return {
    push: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end() {
      read(decoder.decode())
      return !line && !event.type && event.data === undefined
    },
  }
}

function tooLarge(): RemoteError {
  return new RemoteError(
    'PAYLOAD_TOO_LARGE',
    `an item has ${eventLimit} characters or more, which is the limit`,
    {
      hint: 'yield smaller items',
    },
  )
}
