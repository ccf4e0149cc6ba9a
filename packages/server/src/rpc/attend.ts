import type { Duplex } from 'node:stream'

/** Somebody who waits on a bare connection. */
export interface Waiting {
  /** Aborts when nobody waits any more. */
  signal: AbortSignal
  /** Ends the waiting: the connection is somebody else's to read. Returns what was said meanwhile. */
  release(): Buffer
}

/** Nobody says much before being let in. */
const mostBytes = 65_536

/**
 * Reads on, because only a connection that is read tells that its other end is gone.
 *
 * - `head`: what was read before.
 */
export function attend(socket: Duplex, head: Buffer): Waiting {
  const gone = new AbortController()
  const said = [head]
  let size = head.length
  const leave = () => gone.abort()
  const keep = (chunk: Buffer) => {
    said.push(chunk)
    size += chunk.length
    if (size > mostBytes) socket.pause()
  }
  socket.on('data', keep)
  socket.once('end', leave)
  socket.once('close', leave)
  // Whoever breaks the connection is gone, and nobody else listens here.
  socket.on('error', leave)
  if (socket.destroyed) leave()
  return {
    signal: gone.signal,
    release() {
      socket.off('data', keep)
      socket.off('end', leave)
      socket.pause()
      return Buffer.concat(said)
    },
  }
}
