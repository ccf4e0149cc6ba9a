import type { Duplex } from 'node:stream'

/** Somebody who waits on a bare connection. */
export interface Caller {
  socket: Duplex
  /** Aborts when it leaves. */
  signal: AbortSignal
  /** Ends the waiting: the connection is somebody else's to read. Returns what was said meanwhile. */
  release(): Buffer
}

/** Nobody says much before it was let in. */
const MOST_BYTES = 65_536

/** Reads on, because only a connection that is read tells that its other end is gone. `head`: what was read before. */
export function attend(socket: Duplex, head: Buffer): Caller {
  const gone = new AbortController()
  const said = [head]
  let size = head.length
  const leave = () => gone.abort()
  const keep = (chunk: Buffer) => {
    said.push(chunk)
    size += chunk.length
    if (size > MOST_BYTES) socket.pause()
  }
  socket.on('data', keep)
  socket.once('end', leave)
  socket.once('close', leave)
  return {
    socket,
    signal: gone.signal,
    release() {
      socket.off('data', keep)
      socket.off('end', leave)
      socket.pause()
      return Buffer.concat(said)
    },
  }
}
