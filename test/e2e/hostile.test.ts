import { encodeMessage, FrameType } from '@flash/protocol'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, viteConfig } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

const secrets = ['canary-of-dotenv', 'canary-of-npmrc', 'canary-of-private-key']

let project: Project
let vite: ViteProcess
/** `<id>.<tag>` by export of `src/basics.ts`. */
let refs: Record<string, string>
let projectKey: string

beforeAll(async () => {
  project = createProject({
    ...appFiles,
    'vite.config.ts': viteConfig('{ maxBodyBytes: 100_000 }', '').replace(
      "host: '127.0.0.1'",
      "host: '0.0.0.0'",
    ),
    '.env': 'TOKEN=canary-of-dotenv\n',
    '.env.local': 'TOKEN_LOCAL=canary-of-dotenv\n',
    '.npmrc': '//registry.test/:_authToken=canary-of-npmrc\n',
    'tls.key': 'canary-of-private-key\n',
    'src/deep.ts': `import { remote } from 'unplugin-flash'
const one = { name: 'deep', executionTimeoutMs: 5_000 }
export const take = remote(one, async (value: any) => 'taken')
export const answer = remote(one, async () => 42)
`,
    'src/secret.ts': `import { remote } from 'unplugin-flash'
export const usesToken = remote({ name: 'uses-token', env: ['TOKEN'] }, async () => { if (process.env.TOKEN) throw new TypeError('broken'); return 1 })
`,
  })
  vite = await startVite(project)
  const source = await (await fetch(`${vite.url}/src/basics.ts`)).text()
  refs = Object.fromEntries(
    [...source.matchAll(/const (\w+) = \/\* @__PURE__ \*\/ \w+\("([a-z2-7]{16}\.[a-z2-7]{16})"/g)].map(
      ([, name, ref]) => [name!, ref!],
    ),
  )
  projectKey = readFileSync(project.path('.flash/key'), 'utf8').trim()
})

afterAll(async () => {
  await vite?.stop()
  project?.remove()
})

const wire = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }

function callBody(value: unknown, type: number = FrameType.call): Uint8Array<ArrayBuffer> {
  return encodeMessage({
    type,
    rich: false,
    text: typeof value === 'string' ? value : JSON.stringify(value),
    parts: [],
  })
}

interface Answer {
  status: number
  headers: Headers
  text: string
  code: string | undefined
}

async function rpc(
  path: string,
  body: BodyInit | Uint8Array | undefined,
  init: RequestInit = {},
): Promise<Answer> {
  return read(
    await fetch(`${vite.url}/_flash/rpc/${path}`, {
      method: 'POST',
      body: body as BodyInit,
      ...init,
      headers: { ...wire, ...init.headers },
    }),
  )
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  let code: string | undefined
  try {
    code = JSON.parse(text).code
  } catch {
    // Frames, or a page of Vite's.
  }
  return { status: response.status, headers: response.headers, text, code }
}

async function run(path: string, input: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return read(
    await fetch(`${vite.url}/_flash/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof input === 'string' ? input : JSON.stringify({ input }),
    }),
  )
}

const isAlive = async () =>
  expect(JSON.parse((await run('basics/greet/run_sync', { name: 'x' })).text).output).toBe('hello x!')

/** Bytes over a socket of our own, for what no client library would send. */
function raw(lines: string[], body: (Buffer | string | number)[] = [], waitMs = 3_000): Promise<string> {
  const { hostname, port } = new URL(vite.url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname)
    let text = ''
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    const timer = setTimeout(end, waitMs)
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.on('close', end).on('error', end)
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    for (const chunk of body) if (typeof chunk !== 'number') socket.write(chunk)
  })
}

const host = () => `Host: 127.0.0.1:${new URL(vite.url).port}`

/** Nothing a stranger may learn: where files are, what threw, what is secret. */
function expectDiscreet({ text }: { text: string }): void {
  expect(text).not.toContain(project.root)
  expect(text).not.toMatch(/\n\s+at .+:\d+:\d+/)
  expect(text).not.toContain('node_modules')
  for (const secret of [...secrets, projectKey]) expect(text).not.toContain(secret)
}

describe('a capability', () => {
  test('of the page is accepted', async () => {
    const { status, text } = await rpc(refs.greet!, callBody({ args: ['ann'] }))
    expect([status, text]).toEqual([200, expect.stringContaining('hello ann!')])
  })

  const forgeries: [string, () => string][] = [
    ['no tag', () => refs.greet!.split('.')[0]!],
    ['an empty tag', () => `${refs.greet!.split('.')[0]}.`],
    ['the tag of another function', () => `${refs.greet!.split('.')[0]}.${refs.sum!.split('.')[1]}`],
    ['a tag cut short', () => refs.greet!.slice(0, -1)],
    ['a tag that goes on', () => `${refs.greet}a`],
    ['a tag in capitals', () => refs.greet!.toUpperCase()],
    ['__proto__', () => '__proto__.__proto__'],
    ['constructor', () => 'constructor.constructor'],
    ['an id of a megabyte, as far as headers go', () => `${'a'.repeat(8_000)}.${'a'.repeat(16)}`],
    ['a null byte', () => `${refs.greet!.split('.')[0]}%00.${refs.greet!.split('.')[1]}`],
    ['another folder', () => `..%2frpc%2f${refs.greet!.split('.')[0]}`],
  ]
  test.each(forgeries)('with %s is refused, and says nothing else', async (_, forge) => {
    const answer = await rpc(forge(), callBody({ args: ['ann'] }))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(answer.headers.get('x-flash')).toBe('1')
    expectDiscreet(answer)
  })

  test('does not reach names of Object.prototype as methods', async () => {
    const source = await (await fetch(`${vite.url}/src/counter.ts`)).text()
    const ref = /"([a-z2-7]{16}\.[a-z2-7]{16})"/.exec(source)![1]!
    for (const fn of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'count', '', undefined]) {
      const { status, code } = await rpc(ref, callBody({ args: [], new: [1], fn }))
      expect([fn, status, code]).toEqual([fn, 422, 'BAD_INPUT'])
    }
  })
})

describe('a job token', () => {
  const begin = async () => {
    const { text } = await rpc(refs.greet!, callBody({ args: ['ann'], run: true }))
    return /"token":"([\w-]+)"/.exec(text)![1]!
  }
  const flip = (token: string, at: number) =>
    token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)

  test('reads its job', async () => {
    const token = await begin()
    expect((await rpc('resume', callBody({ token }))).text).toContain('hello ann!')
  })

  test('that was altered, cut, made up or is a plain id is refused to pages', async () => {
    const token = await begin()
    const id = JSON.parse((await run('basics/greet/run', { name: 'ann' })).text).id as string
    for (const forged of [flip(token, 2), flip(token, 30), token.slice(0, -2), '', 'x'.repeat(10_000), id]) {
      for (const route of ['resume', 'cancel']) {
        const { status, text } = await rpc(route, callBody({ token: forged }))
        expect([route, status]).toEqual([route, 403])
        expect(text).not.toContain('hello ann!')
      }
    }
  })

  test.each([
    ['from below zero', { from: -1 }],
    ['from a fraction', { from: 0.5 }],
    ['from infinity as text', { from: '1e999' }],
    ['an unknown wish', { only: 'everything' }],
    ['no text as token', { token: { toString: 1 } }],
  ])('with %s is a bad request', async (_, more) => {
    const { status } = await rpc('resume', callBody({ token: await begin(), ...more }))
    expect(status).toBe(400)
  })
})

describe('a body', () => {
  const value = () => callBody({ args: ['ann'] })
  const oneFrame = (type: number, id: number, length: number, payload = Buffer.alloc(0)) => {
    const head = Buffer.alloc(9)
    head.writeUInt8(type)
    head.writeUInt32BE(id, 1)
    head.writeUInt32BE(length, 5)
    return Buffer.concat([head, payload])
  }
  const cases: [string, () => Uint8Array, number, string][] = [
    ['nothing', () => new Uint8Array(), 400, 'BAD_FRAMES'],
    ['half a frame', () => value().subarray(0, 12), 400, 'BAD_FRAMES'],
    ['a frame and a half', () => Buffer.concat([value(), value().subarray(0, 5)]), 400, 'BAD_FRAMES'],
    ['two calls', () => Buffer.concat([value(), value()]), 400, 'BAD_FRAMES'],
    ['a declared length of 4 GiB', () => oneFrame(16, 0, 0xffffffff), 413, 'PAYLOAD_TOO_LARGE'],
    [
      '4 billion declared parts',
      () => oneFrame(16, 0xffffffff, 2, Buffer.from('{}')),
      413,
      'PAYLOAD_TOO_LARGE',
    ],
    ['a message of the worker channel', () => callBody({ t: 'call' }, FrameType.channel), 400, 'BAD_FRAMES'],
    ['a result', () => callBody('1', FrameType.value), 400, 'BAD_FRAMES'],
    ['an unknown type', () => oneFrame(99, 0, 2, Buffer.from('{}')), 400, 'BAD_FRAMES'],
    ['no UTF-8', () => oneFrame(16, 0, 2, Buffer.from([0xc3, 0x28])), 400, 'BAD_FRAMES'],
    ['no JSON', () => callBody('{'), 422, 'BAD_INPUT'],
    [
      '__proto__ as key of an argument',
      () => callBody('{"args":[{"__proto__":{"polluted":1}}]}'),
      422,
      'BAD_INPUT',
    ],
    [
      'constructor as key of an argument',
      () => callBody('{"args":[{"constructor":{"prototype":1}}]}'),
      422,
      'BAD_INPUT',
    ],
    ['__proto__ beside args', () => callBody('{"args":[],"__proto__":{"run":true}}'), 422, 'BAD_INPUT'],
    ['unknown fields', () => callBody({ args: [], polluted: true }), 400, 'BAD_REQUEST'],
    ['args that are no list', () => callBody({ args: { length: 5 } }), 400, 'BAD_REQUEST'],
    ['no args', () => callBody({}), 400, 'BAD_REQUEST'],
    ['a list instead of a call', () => callBody([]), 400, 'BAD_REQUEST'],
    ['a time limit below zero', () => callBody({ args: [], timeoutMs: -1 }), 400, 'BAD_REQUEST'],
    ['options of servers', () => callBody({ args: [], warm: true }), 400, 'OPTION_SERVER_ONLY'],
    [
      'JSON a thousand levels deep',
      () => callBody(`{"args":[${'['.repeat(1_000)}${']'.repeat(1_000)}]}`),
      422,
      'BAD_INPUT',
    ],
    [
      'JSON forty thousand levels deep',
      () => callBody(`{"args":[${'['.repeat(40_000)}${']'.repeat(40_000)}]}`),
      422,
      'BAD_INPUT',
    ],
    [
      'a sparse array of 4 billion',
      () => encodeMessage({ type: 16, rich: true, text: '[{"args":1},[2],[-7,4294967295]]', parts: [] }),
      422,
      'BAD_INPUT',
    ],
    [
      '10,000 empty parts nothing refers to',
      () =>
        encodeMessage({
          type: 16,
          rich: false,
          text: '{"args":[]}',
          parts: Array.from({ length: 10_000 }, () => new Uint8Array()),
        }),
      422,
      'BAD_INPUT',
    ],
  ]
  test.each(cases)('of %s is refused', async (_, make, status, code) => {
    const answer = await rpc(refs.echo!, make())
    expect([answer.status, answer.code]).toEqual([status, code])
    expectDiscreet(answer)
    expect(({} as any).polluted).toBe(undefined)
  })

  test('over the limit is refused with both sizes, declared or in chunks', async () => {
    const large = callBody({ args: ['x'.repeat(150_000)] })
    const declared = await rpc(refs.echo!, large)
    expect([declared.status, declared.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect(declared.text).toContain('100000')
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < large.length; at += 10_000) controller.enqueue(large.subarray(at, at + 10_000))
        controller.close()
      },
    })
    const chunked = await rpc(refs.echo!, stream as never, { duplex: 'half' } as RequestInit)
    expect([chunked.status, chunked.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    await isAlive()
  })

  test('shorter than it declares does not keep the server from working', async () => {
    const body = Buffer.from(value())
    const answer = await raw(
      [
        `POST /_flash/rpc/${refs.greet} HTTP/1.1`,
        host(),
        'content-type: application/x-flash; v=1',
        'x-flash: 1',
        `content-length: ${body.length + 100}`,
      ],
      [body],
      300,
    )
    expect(answer).not.toContain('hello ann!')
    await isAlive()
  })

  test('that declares a length and chunks at once is refused by the server', async () => {
    const answer = await raw(
      [
        `POST /_flash/rpc/${refs.greet} HTTP/1.1`,
        host(),
        'content-type: application/x-flash; v=1',
        'x-flash: 1',
        'content-length: 5',
        'transfer-encoding: chunked',
      ],
      ['0\r\n\r\n'],
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  })

  test.each([
    ['depth', `{"input":{"value":${'['.repeat(40_000)}${']'.repeat(40_000)}}}`],
    [
      'depth in the header of the call',
      `{"input":{"value":1,"flash:call":{"v":1,"trace":${'['.repeat(40_000)}${']'.repeat(40_000)}}}}`,
    ],
  ])('of plain JSON with too much %s is refused, and the endpoint goes on', async (_, body) => {
    const first = await run('deep/take/run_sync?wait=2000', body)
    const again = JSON.parse((await run('deep/answer/run_sync?wait=3000', {})).text)
    expect([again.status, again.output]).toEqual(['COMPLETED', 42])
    expect([first.status, first.code]).toEqual([422, 'BAD_INPUT'])
  })

  test.each([
    ['"__proto__"', '{"input":{"value":{"__proto__":{"polluted":1}}}}'],
    ['"__proto__" as a parameter', '{"input":{"__proto__":{"value":1}}}'],
    ['a header that is text', '{"input":{"value":1,"flash:call":"x"}}'],
    ['a header that is a list', '{"input":{"value":1,"flash:call":[1]}}'],
    [
      'a header with constructor arguments that are no list',
      '{"input":{"value":1,"flash:call":{"v":1,"new":{}}}}',
    ],
    ['arguments that are no devalue', '{"input":{"flash:args":"[[","flash:call":{"v":1}}}'],
    ['arguments that are a number', '{"input":{"flash:args":7,"flash:call":{"v":1}}}'],
  ])("of plain JSON with %s is the caller's mistake", async (_, body) => {
    const { status, code } = await run('basics/echo/run_sync?wait=3000', body)
    expect([status, code]).toEqual([422, 'BAD_INPUT'])
    await isAlive()
  })
})

describe('a path', () => {
  test.each([
    '/_flash/..%2f.env',
    '/_flash/%2e%2e/.env',
    '/_flash/../.env',
    '/_flash/..%5c.env',
    '/_flash//',
    '/_flash//evil.test/x',
    '/_flash/%00',
    '/_flash/basics%00/greet/run_sync',
    '/_flash/%',
    '/_flash/%zz/run_sync',
    '/_flash/__proto__/run_sync',
    '/_flash/constructor/health',
    '/_flash/basics/greet/__proto__',
    '/_flash/basics/greet/status/__proto__',
    '/_flash/basics/greet/status/%2e%2e%2f',
    `/_flash/${'a/'.repeat(3_000)}run_sync`,
    '/_flash/rpc/',
    '/_flash/rpc/resume/x',
    '/_flash?x',
    '/_flash/rpc%2fresume',
  ])('%s is answered by us, without file or stack', async (path) => {
    for (const method of ['GET', 'POST']) {
      const answer = await raw([
        `${method} ${path} HTTP/1.1`,
        host(),
        'content-length: 0',
        'connection: close',
      ])
      expect(answer).toMatch(/^HTTP\/1\.1 [24]\d\d/)
      expectDiscreet({ text: answer })
    }
  })

  test('longer than headers may be is refused by the server, which goes on', async () => {
    expect(await raw([`GET /_flash/${'a'.repeat(100_000)} HTTP/1.1`, host()])).toMatch(/^HTTP\/1\.1 4\d\d/)
    await isAlive()
  })

  test.each([
    '',
    'a b',
    '%%%',
    '[::1',
    'evil.test#127.0.0.1',
    'user@127.0.0.1',
    '127.0.0.1/',
    '127.0.0.1:99999999',
  ])('with the Host "%s" does not stop the server', async (given) => {
    const answer = await raw(['GET /_flash/ping HTTP/1.1', `Host: ${given}`, 'connection: close'])
    expect(answer).not.toMatch(/^HTTP\/1\.1 5\d\d/)
    if (/evil|user/.test(given)) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/)
    await raw(['GET /_flash/ping HTTP/1.0', 'connection: close'])
    await isAlive()
  })
})

describe('another method', () => {
  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'PROPFIND'])('%s runs nothing', async (method) => {
    const answer = await raw([
      `${method} /_flash/rpc/${refs.greet} HTTP/1.1`,
      host(),
      'content-type: application/x-flash; v=1',
      'x-flash: 1',
      'connection: close',
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 405/)
    expect(
      await raw([`${method} /_flash/basics/greet/run_sync HTTP/1.1`, host(), 'connection: close']),
    ).toMatch(/^HTTP\/1\.1 405/)
  })

  test('an upgrade is answered, not left open', async () => {
    const answer = await raw(
      [
        `GET /_flash/rpc/${refs.greet} HTTP/1.1`,
        host(),
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
        'origin: http://evil.test',
      ],
      [],
      2_000,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/)
  })
})

describe('a page of another origin', () => {
  const foreign: [string, Record<string, string>][] = [
    ['another site', { origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
    ['another port, by a browser that sends no Sec-Fetch', { origin: 'http://127.0.0.1:1' }],
    ['nowhere', { origin: 'null' }],
    ['nowhere, same-origin in name only', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['the same host over https', { origin: 'https://127.0.0.1' }],
    ['an address bar', { 'sec-fetch-site': 'none' }],
    ['an empty origin', { origin: '' }],
    ['Sec-Fetch-Site in capitals', { 'sec-fetch-site': 'SAME-ORIGIN', origin: 'http://evil.test' }],
    ['Sec-Fetch-Site twice', { 'sec-fetch-site': 'same-origin, cross-site' }],
  ]
  test.each(foreign)('%s reaches no route', async (_, headers) => {
    for (const [method, path] of [
      ['POST', `rpc/${refs.greet}`],
      ['POST', 'rpc/resume'],
      ['POST', 'basics/greet/run_sync'],
      ['POST', 'basics/greet/purge-queue'],
      ['GET', 'basics/greet/health'],
      ['GET', 'ping'],
      ['GET', ''],
    ] as const) {
      const answer = await read(
        await fetch(`${vite.url}/_flash/${path}`, {
          method,
          headers: { 'content-type': 'text/plain', ...headers },
          body: method === 'POST' ? '{"input":{"name":"x"}}' : undefined,
        }),
      )
      expect([method, path, answer.status]).toEqual([method, path, 403])
      expectDiscreet(answer)
    }
  })

  test('gets no leave from a preflight', async () => {
    for (const origin of ['http://evil.test', 'null']) {
      const response = await fetch(`${vite.url}/_flash/rpc/${refs.greet}`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-flash',
        },
      })
      expect(response.headers.get('access-control-allow-origin')).toBe(null)
    }
  })

  test('by a name that was pointed here is refused', async () => {
    const answer = await raw(
      [
        `POST /_flash/rpc/${refs.greet} HTTP/1.1`,
        'Host: evil.test',
        'Origin: http://evil.test',
        'Sec-Fetch-Site: same-origin',
        'content-type: application/x-flash; v=1',
        'x-flash: 1',
        `content-length: ${callBody({ args: ['x'] }).length}`,
        'connection: close',
      ],
      [Buffer.from(callBody({ args: ['x'] }))],
    )
    expect(answer).toMatch(/^HTTP\/1\.1 403/)
    expect(answer).not.toContain('hello')
  })

  test('cannot send what needs no preflight', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
    ]) {
      const answer = await run('basics/greet/run_sync', { name: 'x' }, { 'content-type': type })
      expect([type, answer.status]).toEqual([type, 415])
      expect(
        (await rpc(refs.greet!, callBody({ args: [] }), { headers: { 'content-type': type } })).status,
      ).toBe(415)
    }
    expect((await rpc(refs.greet!, callBody({ args: [] }), { headers: { 'x-flash': '' } })).status).toBe(400)
  })
})

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === 'IPv4')?.address

if (!outside)
  console.warn(
    'hostile.test.ts: this machine has no address but loopback, so no call comes from outside; guard.test.ts alone holds that rule here',
  )

describe.runIf(outside)('a program on another machine', () => {
  const from = (headers: Record<string, string>) =>
    fetch(`http://${outside}:${new URL(vite.url).port}/_flash/basics/greet/run_sync`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"input":{"name":"ann"}}',
    })

  test('needs the session token', async () => {
    const { token } = JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8'))
    expect((await from({})).status).toBe(403)
    expect((await from({ authorization: 'Bearer wrong' })).status).toBe(403)
    expect((await from({ authorization: `Bearer ${token}x` })).status).toBe(403)
    expect((await from({ authorization: `Bearer ${token}` })).status).toBe(200)
  })

  test('is not believed when it says that it is near', async () => {
    for (const header of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'client-ip'])
      expect((await from({ [header]: '127.0.0.1' })).status).toBe(403)
  })
})

describe("the runtime's own listener", () => {
  test('does nothing without its token, whatever else a request has', async () => {
    const { url, token } = JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8'))
    const id = refs.greet!.split('.')[0]
    const ask = (headers: Record<string, string>, path = `/rpc/${id}`) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...wire, ...headers },
        body: callBody({ args: ['ann'] }),
      })
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      'Bearer null',
      `Basic ${token}`,
      `Bearer ${token.slice(1)}`,
    ])
      expect((await ask({ authorization })).status).toBe(401)
    expect((await ask({}, `/rpc/${refs.greet}`)).status).toBe(401)
    expect((await ask({}, `/rpc/${id}?token=${token}`)).status).toBe(401)
    const answer = await ask({ authorization: `Bearer ${token}` })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('hello ann!')])
    for (const path of ['/', '/rpc/', '/rpc/a/b', '/basics/greet/run_sync', '/..%2f'])
      expect([404, 400]).toContain((await ask({ authorization: `Bearer ${token}` }, path)).status)
  })
})

describe('files of the project', () => {
  const ways = (file: string) => {
    const encoded = file.replaceAll('.', '%2e').replaceAll('/', '%2f')
    const absolute = `/@fs${project.root}/${file}`
    return [
      ...[
        '',
        '?raw',
        '?import&raw',
        '?import',
        '?url',
        '?inline',
        '?raw??',
        '?import&raw??',
        '?.svg?.wasm?init',
      ].flatMap((query) => [`/${file}${query}`, `${absolute}${query}`]),
      `/${encoded}`,
      `//${file}`,
      `/./${file}`,
      `/src/../${file}`,
      `/src/..%2f${file}`,
      `/${file}%00`,
      `/${file}/`,
      `/${file}?t=1&raw`,
      `/@fs/${project.root}//${file}`,
      `/@fs${project.root}/src/../${file}`,
      `/@id/${project.root}/${file}?raw`,
      `/@id/__x00__${project.root}/${file}?raw`,
      `/_flash/${file}`,
      `/_flash/..%2f${encoded}`,
    ]
  }

  test.each(['.flash/key', '.flash/dev.json', '.env', '.env.local', '.npmrc', 'tls.key'])(
    '%s is served in no way',
    async (file) => {
      expect(existsSync(project.path(file))).toBe(true)
      const { token } = JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8'))
      for (const path of ways(file)) {
        const answer = await raw([`GET ${path} HTTP/1.1`, host(), 'connection: close'])
        for (const secret of [...secrets, projectKey, token])
          expect(answer.includes(secret), `${path} told ${file}`).toBe(false)
      }
    },
  )

  test('bodies of functions are not in what a page loads, nor in its source map', async () => {
    for (const path of [
      '/src/basics.ts',
      '/src/basics.ts?t=1',
      '/src/basics.ts?flash=0000000000000000',
      `/src/basics.ts?flash-setup=${refs.greet!.split('.')[0]}`,
      '/src/trouble.ts',
    ]) {
      const text = await (await fetch(`${vite.url}${path}`, { headers: { accept: '*/*' } })).text()
      const maps = [...text.matchAll(/sourceMappingURL=data:application\/json;base64,(\S+)/g)].map(
        ([, map]) => Buffer.from(map!, 'base64').toString(),
      )
      for (const part of [text, ...maps])
        expect(part).not.toMatch(/no seats left|about to leave|nothing\.field/)
    }
  })
})

describe('what is told of errors', () => {
  test('an error inside a function with secrets tells none of them, and the terminal neither', async () => {
    const answer = await run('secret/usesToken/run_sync', { 'flash:call': { v: 1 } })
    expect(answer.text).toContain('broken')
    for (const secret of secrets) {
      expect(answer.text).not.toContain(secret)
      expect(vite.output()).not.toContain(secret)
    }
  })

  test('the terminal has neither the project key nor the token', async () => {
    const { token } = JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8'))
    expect(vite.output()).not.toContain(projectKey)
    expect(vite.output().split(token).length).toBeLessThanOrEqual(2)
  })

  test('after all that the server works, and blames nobody but its callers', async () => {
    await isAlive()
    const own =
      vite.output().match(/RangeError|TypeError: (?!broken)|Error: aborted|UnhandledPromise|HTTPError/g) ?? []
    expect([...new Set(own)]).toEqual([])
  })

  test('a mistake of a caller puts no stack into the terminal', async () => {
    const before = vite.output().length
    await run('basics/greet/run_sync', {})
    await run('basics/nobody/run_sync', {})
    await rpc('resume', callBody({ token: 'x' }))
    await isAlive()
    const said = vite.output().slice(before)
    expect(said.match(/\n\s+at /g)?.length ?? 0, said.slice(0, 500)).toBe(0)
  })
})
