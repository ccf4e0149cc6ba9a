import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { attend } from './caller.ts'

/** One end of a connection: `push` is what the other end says. */
function openSocket(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what is said meanwhile is kept in its order, and the connection is left to be read', async () => {
  const socket = openSocket()
  const caller = attend(socket, Buffer.from('a'))
  socket.push('b')
  socket.push('c')
  await turn()
  expect(caller.release().toString()).toBe('abc')
  socket.push('d')
  await turn()
  expect(socket.isPaused()).toBe(true)
  expect(String(socket.read())).toBe('d')
})

test('a caller that leaves is noticed', async () => {
  const socket = openSocket()
  const { signal } = attend(socket, Buffer.alloc(0))
  socket.push(null)
  await turn()
  expect(signal.aborted).toBe(true)
})

test('somebody who says much before it was let in is not read on', async () => {
  const socket = openSocket()
  const caller = attend(socket, Buffer.alloc(0))
  socket.push(Buffer.alloc(65_536))
  await turn()
  expect(socket.isPaused()).toBe(false)
  socket.push('x')
  await turn()
  expect(socket.isPaused()).toBe(true)
  expect(caller.release()).toHaveLength(65_537)
})
