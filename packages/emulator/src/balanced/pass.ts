import type { Readable, Writable } from 'node:stream'

export interface PassOptions {
  limitBytes: number
  /** Nothing more is passed on; the size as far as it was counted. */
  onTooLarge(sizeBytes: number): void
}

/**
 * Passes bytes on as they come, no faster than they are taken, and ends with their end. Whoever takes them may be gone: the rest
 * is dropped. What becomes of the two when either breaks is up to the caller.
 *
 * Node's `pipeline` makes an exception for each stream that ends well, which costs more than all of this.
 */
export function pass(from: Readable, to: Writable, { limitBytes, onTooLarge }: PassOptions): void {
  let size = 0
  from.on('data', (chunk: Buffer) => {
    const before = size
    size += chunk.length
    if (size > limitBytes) {
      if (before <= limitBytes) onTooLarge(size)
    } else if (!to.destroyed && !to.write(chunk)) from.pause()
  })
  from.once('end', () => {
    if (size <= limitBytes && !to.destroyed) to.end()
  })
  for (const event of ['drain', 'close']) to.on(event, () => void from.resume())
  for (const stream of [from, to]) stream.on('error', () => {})
}
