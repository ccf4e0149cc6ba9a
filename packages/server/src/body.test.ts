import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readBody, readEach } from './body.ts'

const limitBytes = 8

/** A request whose body comes in these pieces, then ends or breaks. */
type Arrival = (
  pieces: string[],
  options?: { headers?: Record<string, string>; breaksOff?: boolean },
) => Request

/** As any web server gives it. */
const fromStream: Arrival = (pieces, { headers, breaksOff = false } = {}) => {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece))
      if (breaksOff) controller.error(new Error('gone'))
      else controller.close()
    },
  })
  return new Request('http://app.test/', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
}

/** As it comes through a Node server: the socket is read, the web body is not touched. */
const fromSocket: Arrival = (pieces, { headers, breaksOff = false } = {}) => {
  const incoming = new PassThrough()
  for (const piece of pieces) incoming.write(piece)
  if (breaksOff) incoming.destroy()
  else incoming.end()
  const request = new Request('http://app.test/', { method: 'POST', headers })
  return Object.assign(request, { runtime: { node: { req: incoming } } })
}

for (const [way, arrive] of [
  ['a web stream', fromStream],
  ['a Node socket', fromSocket],
] as const) {
  describe(`a body that comes through ${way}`, () => {
    for (const [pieces, text] of [
      [[], ''],
      [['whole'], 'whole'],
      [['in ', 'two ', 'x'], 'in two x'],
    ] as const) {
      test(`${pieces.length} pieces`, async () => {
        const body = await readBody(arrive([...pieces]), limitBytes)
        expect(new TextDecoder().decode(body)).toBe(text)
      })
    }

    test('is refused by its declared length, before anything is read', async () => {
      const request = arrive([], { headers: { 'content-length': '9' } })
      await expect(readBody(request, limitBytes)).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        data: { size: 9, limit: limitBytes },
      })
    })

    test('is refused as soon as more arrives than is allowed, whatever was declared', async () => {
      const request = arrive(['12345', '6789', 'more'], { headers: { 'content-length': '2' } })
      await expect(readBody(request, limitBytes)).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        data: { size: 9, limit: limitBytes },
        hint: expect.stringContaining('maxBodyBytes'),
      })
    })

    test('is over when everything that was made of it is, whenever it arrived', async () => {
      const made: string[] = []
      const make = async (chunk: Uint8Array) => {
        for (let turn = 0; turn < 5; turn++) await setImmediate()
        made.push(new TextDecoder().decode(chunk))
      }
      const request = arrive(['all', ' here'])
      await setImmediate()
      await readEach(request, limitBytes, make)
      expect(made.join('')).toBe('all here')
    })

    test('fails with what is made of it, however late that fails', async () => {
      const refuse = async () => {
        for (let turn = 0; turn < 5; turn++) await setImmediate()
        throw new Error('no')
      }
      await expect(readEach(arrive(['all']), limitBytes, refuse)).rejects.toThrow('no')
    })

    test('is an error when it breaks off', async () => {
      await expect(readBody(arrive(['12'], { breaksOff: true }), limitBytes)).rejects.toThrow()
    })
  })
}

test('a connection that closes early says so, and one that fails says how', async () => {
  const closed = readBody(fromSocket(['12'], { breaksOff: true }), limitBytes)
  await expect(closed).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: expect.stringContaining('closed'),
  })
  const incoming = new PassThrough()
  const request = Object.assign(new Request('http://app.test/'), { runtime: { node: { req: incoming } } })
  const failed = readBody(request, limitBytes)
  incoming.destroy(new Error('reset by peer'))
  await expect(failed).rejects.toThrow('reset by peer')
})

test('a socket that was read to its end already leaves the body of the request', async () => {
  const incoming = new PassThrough()
  incoming.end()
  incoming.resume()
  await new Promise((resolve) => incoming.once('end', resolve))
  const request = Object.assign(fromStream(['parsed']), { runtime: { node: { req: incoming } } })
  expect(new TextDecoder().decode(await readBody(request, limitBytes))).toBe('parsed')
})
