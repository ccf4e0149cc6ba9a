/** How the event begins by which a worker says what went wrong. */
const mark = Buffer.from('event: error\n')
const newline = 10
const none = Buffer.alloc(0)

export interface GuardEventsOptions {
  /** Of one error; what is longer is cut there, and the events end with it. */
  limitBytes: number
  /** Makes the data of an error as it may be seen of the data that came. Asked for each error once. */
  toShown(data: string): string
}

/**
 * Events as workers of ours write them, each error in them as it may be seen; all else passes as it comes, no faster than it is
 * taken.
 *
 * - an error that breaks off is one: what came of it has to do.
 */
export function guardEvents(
  body: ReadableStream<Uint8Array>,
  options: GuardEventsOptions,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const errors = new ErrorFinder(options)
  let isLeft = false
  const read = async () => {
    try {
      return await reader.read()
    } catch (error) {
      if (!errors.isWithin) throw error
      return { done: true, value: undefined } as const
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (let isMore = true; isMore; ) {
          const { done, value } = await read()
          if (isLeft) return
          const shown = done ? errors.end() : errors.push(value)
          for (const part of shown) controller.enqueue(part)
          if (done || errors.isCut) {
            controller.close()
            void reader.cancel().catch(() => {})
          }
          isMore = shown.length === 0 && !done
        }
      },
      cancel(reason) {
        isLeft = true
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

class ErrorFinder {
  /** An error was too long: nothing more is to be pushed. */
  isCut = false
  readonly #options: GuardEventsOptions
  #place: 'between' | 'item' | 'error' = 'between'
  /** What may be the beginning of an error. */
  #held = none
  #isAfterNewline = false
  #error: Buffer[] = []
  #errorBytes = 0

  constructor(options: GuardEventsOptions) {
    this.#options = options
  }

  get isWithin(): boolean {
    return this.#place === 'error'
  }

  /** Gives what may be seen by now. */
  push(chunk: Uint8Array): Uint8Array[] {
    const given = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, given]) : given
    this.#held = none
    const shown: Uint8Array[] = []
    for (let at = 0; at < bytes.length && !this.isCut; ) {
      if (this.isWithin) at = this.#keep(bytes, at, shown)
      const found = this.#pass(bytes, at)
      if (found > at) shown.push(bytes.subarray(at, found))
      at = this.#begin(bytes, found)
    }
    return shown
  }

  /** Gives what is left to see. */
  end(): Uint8Array[] {
    if (this.isWithin) return [this.#show()]
    return this.#held.length > 0 ? [this.#held] : []
  }

  /** To where an error begins, or may begin. */
  #pass(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !this.isWithin) {
      if (this.#place === 'item') at = this.#findEnd(bytes, at)
      else if (beginsError(bytes, at)) return at
      else if (bytes[at] === newline) at++
      else this.#enter('item')
    }
    return at
  }

  /** Takes the beginning of an error, as much as is there of it. */
  #begin(bytes: Buffer, at: number): number {
    if (this.isWithin || at === bytes.length) return at
    if (bytes.length - at >= mark.length) {
      this.#enter('error')
      return at + mark.length
    }
    this.#held = Buffer.from(bytes.subarray(at))
    return bytes.length
  }

  #keep(bytes: Buffer, at: number, shown: Uint8Array[]): number {
    const end = this.#findEnd(bytes, at)
    this.#error.push(bytes.subarray(at, end))
    this.#errorBytes += end - at
    this.isCut = this.#errorBytes > this.#options.limitBytes
    if (this.isCut || !this.isWithin) shown.push(this.#show())
    return this.isCut ? bytes.length : end
  }

  #show(): Uint8Array {
    const data = Buffer.concat(this.#error)
      .toString()
      .replace(/^data: /, '')
      .trimEnd()
    this.#error = []
    this.#errorBytes = 0
    this.#place = 'between'
    return Buffer.from(`${mark}data: ${this.#options.toShown(data)}\n\n`)
  }

  #enter(place: 'item' | 'error'): void {
    this.#place = place
    this.#isAfterNewline = place === 'error'
  }

  /** Leaves the event where it ends. */
  #findEnd(bytes: Buffer, at: number): number {
    const isHere = this.#isAfterNewline && bytes[at] === newline
    const found = isHere ? at - 1 : bytes.indexOf('\n\n', at)
    if (found >= 0 || isHere) {
      this.#place = 'between'
      return found + 2
    }
    this.#isAfterNewline = bytes.at(-1) === newline
    return bytes.length
  }
}

/** Or what may become one. */
function beginsError(bytes: Buffer, at: number): boolean {
  const size = Math.min(mark.length, bytes.length - at)
  return mark.compare(bytes, at, at + size, 0, size) === 0
}
