import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as zlib from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { decodeAnswer } from './decode-answer.ts'

const plain = Buffer.from('hello '.repeat(1_000))
const packed: Record<string, [header: string, body: Uint8Array]> = {
  gzip: ['gzip', zlib.gzipSync(plain)],
  'gzip of old': ['X-GZIP', zlib.gzipSync(plain)],
  deflate: ['deflate', zlib.deflateSync(plain)],
  'deflate without its head': ['deflate', zlib.deflateRawSync(plain)],
  br: ['br', zlib.brotliCompressSync(plain)],
  ...(zlib.zstdCompressSync && { zstd: ['zstd', zlib.zstdCompressSync(plain)] }),
  several: ['deflate, gzip', zlib.gzipSync(zlib.deflateSync(plain))],
  'an unknown one': ['nothing-known', plain],
  'one of an object': ['constructor', plain],
  'one that is none': ['identity', plain],
  'an unknown one among others': ['gzip, nothing-known', zlib.gzipSync(plain)],
  'one that is cut': ['gzip', zlib.gzipSync(plain).subarray(0, -4)],
  'one that is none, by its bytes': ['gzip', Buffer.from('no such thing')],
  'one of brotli that is none': ['br', Buffer.from('no such thing')],
  'an empty one': ['gzip', Buffer.alloc(0)],
  'an empty one of deflate': ['deflate', Buffer.alloc(0)],
}

const server = createServer(({ url }, outgoing) => {
  const [header, body] = packed[decodeURIComponent(url!.slice(1))]!
  outgoing.writeHead(200, { 'content-encoding': header })
  outgoing.end(body)
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => void server.close())

const raw = ([header, body]: [string, Uint8Array]) =>
  new Response(new Uint8Array(body), {
    headers: { 'content-encoding': header, 'content-length': String(body.length), 'x-own': 'yes' },
  })

const read = (response: Response) =>
  response.arrayBuffer().then(
    (bytes) => Buffer.from(bytes).toString('latin1'),
    () => 'it broke',
  )

for (const [what, given] of Object.entries(packed)) {
  test(`${what}: the bytes are those that fetch gives`, async () => {
    const { port } = server.address() as AddressInfo
    const fetched = await fetch(`http://127.0.0.1:${port}/${encodeURIComponent(what)}`)
    expect(await read(decodeAnswer(raw(given)))).toBe(await read(fetched))
  })
}

test('what is decoded says nothing of its coding, and what is not says it', () => {
  const decoded = decodeAnswer(raw(packed.gzip!)).headers
  expect(Object.fromEntries(decoded)).toEqual({ 'x-own': 'yes' })
  const unknown = decodeAnswer(raw(packed['an unknown one']!)).headers
  expect(Object.fromEntries(unknown)).toMatchObject({
    'content-encoding': 'nothing-known',
    'content-length': '6000',
  })
  const many = Array.from({ length: 6 }, () => 'gzip').join()
  expect(decodeAnswer(raw([many, plain])).headers.get('content-encoding')).toBe(many)
  const head = decodeAnswer(
    new Response(null, { headers: { 'content-encoding': 'gzip', 'content-length': '9' } }),
  )
  expect(Object.fromEntries(head.headers)).toEqual({ 'content-encoding': 'gzip', 'content-length': '9' })
})

test('a body that is not what its header says is an error of the body', async () => {
  for (const what of ['one that is none, by its bytes', 'one of brotli that is none'])
    await expect(decodeAnswer(raw(packed[what]!)).text()).rejects.toMatchObject({ code: 'TRANSPORT' })
})

test('it comes piece by piece, no faster than it is read', async () => {
  const long = zlib.gzipSync(randomBytes(5_000_000))
  let sent = 0
  const cancel = vi.fn()
  const pull = vi.fn((controller: ReadableStreamDefaultController) => {
    if (sent >= long.length) return controller.close()
    controller.enqueue(new Uint8Array(long.subarray(sent, (sent += 1_000))))
  })
  const body = new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
  const response = decodeAnswer(new Response(body, { headers: { 'content-encoding': 'gzip' } }))
  const reader = response.body!.getReader()
  expect((await reader.read()).value!.length).toBeGreaterThan(0)
  await reader.cancel()
  await vi.waitFor(() => expect(cancel).toHaveBeenCalled())
  expect(sent).toBeLessThan(1_000_000)
})

const leave: Record<string, (body: ReadableStream<Uint8Array>) => Promise<unknown>> = {
  'before it is read': (body) => body.cancel(),
  'after its first piece': async (body) => {
    const reader = body.getReader()
    await reader.read()
    await reader.cancel()
  },
  'while it is waited for': async (body) => {
    const reader = body.getReader()
    for (let size = 0; size < 50_000; ) size += (await reader.read()).value!.length
    const next = reader.read()
    await reader.cancel()
    await next
  },
}

const packers: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: zlib.gzipSync,
  br: zlib.brotliCompressSync,
  deflate: zlib.deflateSync,
  'gzip, deflate': (bytes) => zlib.deflateSync(zlib.gzipSync(bytes)),
}

for (const [coding, packer] of Object.entries(packers)) {
  const create = (sent: Buffer) => {
    const cancel = vi.fn()
    const start = (controller: ReadableStreamDefaultController) => {
      if (sent.length > 0) controller.enqueue(new Uint8Array(sent))
    }
    const headers = { 'content-encoding': coding }
    const { body } = decodeAnswer(new Response(new ReadableStream({ start, cancel }), { headers }))
    return { body: body!, cancel }
  }

  for (const [when, go] of Object.entries(leave)) {
    test(`whoever leaves a body of ${coding} ${when} ends what it comes from`, async () => {
      const { body, cancel } = create(packer(randomBytes(200_000)).subarray(0, 100_000))
      await go(body)
      await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
    })
  }

  test(`whoever leaves a body of ${coding} of which nothing came ends what it comes from`, async () => {
    const [left, awaited] = [create(Buffer.alloc(0)), create(Buffer.alloc(0))]
    await left.body.cancel()
    const reader = awaited.body.getReader()
    const first = reader.read()
    await reader.cancel()
    expect(await first).toEqual({ done: true, value: undefined })
    for (const { cancel } of [left, awaited]) await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
  })
}

test('what is flushed can be read before the rest is there', async () => {
  const gzip = zlib.createGzip()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void gzip.on('data', (chunk) => controller.enqueue(new Uint8Array(chunk))),
  })
  const response = decodeAnswer(new Response(body, { headers: { 'content-encoding': 'gzip' } }))
  gzip.write('first')
  gzip.flush()
  const { value } = await response.body!.getReader().read()
  expect(Buffer.from(value!).toString()).toBe('first')
  gzip.destroy()
})

for (const coding of ['gzip', 'deflate']) {
  test(`what a body of ${coding} breaks with is told`, async () => {
    const broken = new Error('the worker ended')
    const body = new ReadableStream({ pull: (controller) => controller.error(broken) })
    const response = decodeAnswer(new Response(body, { headers: { 'content-encoding': coding } }))
    await expect(response.text()).rejects.toThrow('the worker ended')
  })
}
