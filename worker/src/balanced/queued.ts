import type { Socket } from 'node:net'

/** One listener for each connection, however many requests wait on it. */
const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `run` when the connection is gone. For answers behind another one: not every version of Node tells them.
 *
 * - returns what takes it back.
 */
export function whenGone(socket: Socket, run: () => void): () => void {
  const runs = waiting.get(socket) ?? watch(socket)
  runs.add(run)
  return () => void runs.delete(run)
}

function watch(socket: Socket): Set<() => void> {
  const runs = new Set<() => void>()
  waiting.set(socket, runs)
  socket.once('close', () => {
    for (const run of runs) run()
  })
  return runs
}
