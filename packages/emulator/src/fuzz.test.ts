import { connect } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEmulator } from './testing.ts'

let world: Awaited<ReturnType<typeof startEmulator>>
let balanced: string
beforeAll(async () => {
  world = await startEmulator({
    limits: { streamHoldMs: 1, runBytes: 5_000, runSyncBytes: 5_000 },
  })
  balanced = world.emulator.addEndpoint({ name: 'api', kind: 'balanced', workersMax: 0 }).id
})
afterAll(() => world.emulator.close())

/** Sends bytes and reads what comes until the connection ends or is silent. */
function exchange(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(world.emulator.url).port), '127.0.0.1')
    let text = ''
    const end = () => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(15, end)
    socket.setEncoding('latin1').on('data', (chunk) => (text += chunk))
    socket.on('error', end)
    socket.on('close', end)
    socket.write(bytes)
  })
}

/** A job goes through as ever, and nothing else waits or runs than what was sent well. */
async function expectSound() {
  const { call, worker, errors } = world
  await call('POST', '/purge-queue')
  const one = await worker()
  const { body } = await call('POST', '/run', { input: 'sound' })
  expect((await one.take()).body).toEqual({ id: body.id, input: 'sound' })
  await one.done(body.id, { output: 'yes' })
  expect((await call('GET', `/status/${body.id}`)).body).toMatchObject({ status: 'COMPLETED', output: 'yes' })
  expect((await call('GET', '/health')).body.jobs).toMatchObject({ inQueue: 0 })
  expect(errors).toEqual([])
}

test('any bytes on a connection', async () => {
  const line = fc.constantFrom(
    'GET / HTTP/1.1',
    'POST /v2/a/run HTTP/1.1',
    'PRI * HTTP/2.0',
    'GET',
    '\u0000',
    'CONNECT x:1 HTTP/1.1',
  )
  const header = fc.constantFrom(
    'Host: x',
    'Host:',
    'Content-Length: 9',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Authorization: emulator',
    ': x',
    'A'.repeat(100),
  )
  const shaped = fc
    .tuple(line, fc.array(header, { maxLength: 6 }), fc.string())
    .map(([first, headers, body]) =>
      new TextEncoder().encode(`${[first, ...headers].join('\r\n')}\r\n\r\n${body}`),
    )
  await fc.assert(
    fc.asyncProperty(fc.oneof(shaped, fc.uint8Array({ maxLength: 300 })), async (bytes) => {
      await exchange(bytes)
    }),
    { numRuns: 150 },
  )
  await expectSound()
})

const status = fc.constantFrom('status', 'status-sync', 'stream', 'cancel', 'retry')
const plain = fc.constantFrom('run', 'runsync', 'purge-queue', 'health', 'metrics', 'requests', 'batch')
const own = fc.constantFrom('state', 'faults', 'clock', 'env', 'workers/a/b', '__proto__')
const worker = fc.constantFrom('job-done', 'job-stream', 'ping', 'job-nothing', 'constructor')
const piece = fc.oneof(
  fc.constantFrom(
    '..',
    '.',
    '%2e%2e',
    '%00',
    '%ff',
    '%',
    '&',
    ';',
    '//',
    '',
    '__proto__',
    'toString',
    '$ID',
    '*',
  ),
  fc.string({ maxLength: 8 }),
  fc.uuid(),
)

test('any request that a client or worker could make', async () => {
  const path = fc.oneof(
    fc.tuple(status, piece).map((parts) => `/v2/ID/${parts.join('/')}`),
    plain.map((one) => `/v2/ID/${one}`),
    fc.tuple(worker, piece, piece).map((parts) => `/v2/ID/${parts.join('/')}`),
    own.map((one) => `/_emulator/${one}`),
    fc
      .tuple(fc.constantFrom('/v2', '/lb', '/v1', '/graphql', '/upload', '/flash', ''), piece, piece)
      .map((parts) => parts.join('/')),
    piece.map((one) => `/lb/LB/${one}`),
  )
  const query = fc.oneof(
    fc.constantFrom(
      '',
      '?wait=1',
      '?wait=-1',
      '?wait=NaN',
      '?ttl=x',
      '?ttl=-1',
      '?batch_size=9',
      '?endpoint=__proto__',
      '?%',
      '?=&=',
    ),
  )
  const body = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.jsonValue().map((input) => JSON.stringify({ input })),
    fc.constantFrom(
      '',
      '{',
      '{"input":',
      '{"input": NaN}',
      '{"__proto__": {"input": 1}}',
      '[['.repeat(1_500),
      'x'.repeat(6_000),
      '{"output": 1}',
      '{"kind": "noCapacity"}',
      '{"advanceMs": 1}',
    ),
  )
  const key = fc.constantFrom('emulator', 'Bearer emulator', 'bearer  emulator', 'wrong', '', 'Bearer')
  const headers = fc.dictionary(
    fc.constantFrom(
      'content-type',
      'origin',
      'sec-fetch-site',
      'x-flash-app',
      'x-flash-endpoint',
      'x-runpod-worker-id',
      'content-encoding',
      'expect',
      'accept',
    ),
    fc.constantFrom('', 'x', 'application/json', 'null', 'same-origin', 'strict w', '100-continue', 'gzip'),
    { maxKeys: 3 },
  )
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE')
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      headers,
      key,
      body,
      async (verb, where, what, more, authorization, text) => {
        const url = `${where}${what}`
          .replace('/ID/', `/${world.id}/`)
          .replace('/LB/', `/${balanced}/`)
          .replaceAll(/[^\x21-\x7e]/g, '%C3%A9')
        const lines = [
          `${verb} ${url} HTTP/1.1`,
          'Host: 127.0.0.1',
          `Authorization: ${authorization}`,
          `Content-Length: ${Buffer.byteLength(text)}`,
          ...Object.entries(more).map(([name, value]) => `${name}: ${value}`),
        ]
        const answer = await exchange(new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n${text}`))
        // A wait is silent; everything else has a status, and none says that the emulator itself failed.
        if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 [1234]\d\d /)
      },
    ),
    { numRuns: 400 },
  )
  world.emulator.faults.remove()
  await expectSound()
}, 60_000)

test('any order of taking, reporting and cancelling by several workers', async () => {
  const { call, worker: createOne } = world
  const workers = [await createOne(), await createOne()]
  const step = fc.tuple(
    fc.constantFrom('submit', 'take', 'done', 'fail', 'item', 'progress', 'cancel', 'retry', 'bad'),
    fc.nat(1),
    fc.nat(6),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await call('POST', '/purge-queue')
      const ids: string[] = []
      for (const [what, who, which] of steps) {
        const one = workers[who]!
        const id = ids[which] ?? 'nobody'
        const before = (await call('GET', `/status/${id}`)).body
        if (what === 'submit') ids.push((await call('POST', '/run', { input: {} })).body.id)
        else if (what === 'take') {
          if ((await call('GET', '/health')).body.jobs.inQueue > 0) await one.take()
        } else if (what === 'cancel' || what === 'retry') await call('POST', `/${what}/${id}`)
        else if (what === 'item') await one.item(id, which)
        else if (what === 'bad') await one.done(id, 'no object')
        else
          await one.done(
            id,
            what === 'fail'
              ? { error: 'x' }
              : what === 'progress'
                ? { status: 'IN_PROGRESS', output: 1 }
                : { output: 2 },
          )
        const after = (await call('GET', `/status/${id}`)).body
        const mine = before.status === 'IN_PROGRESS' && before.workerId === one.id
        if (['done', 'fail'].includes(what))
          expect(after.status).toBe(mine ? (what === 'done' ? 'COMPLETED' : 'FAILED') : before.status)
        if (what === 'bad') expect(after).toEqual(before)
      }
      for (const id of ids) await call('POST', `/cancel/${id}`)
    }),
    { numRuns: 25 },
  )
  await expectSound()
}, 60_000)
