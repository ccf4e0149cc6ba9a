/** Routes, web apps and sockets in every form, callable from the page as `flash.<name>`. */
export const balancedFiles: Record<string, string> = {
  'src/main.ts': `import { RemoteError } from 'unplugin-flash'
import { hc } from 'hono/client'
import type { AppType } from './site.ts'
import * as items from './items.ts'
import { site, bare, modern } from './webs.ts'
import { ask } from './ask.ts'
const hono = hc<AppType>('http://anywhere', { fetch: site.fetch })
Object.assign(window, { flash: { ...items, site, bare, modern, ask, hono }, RemoteError })
document.querySelector('#app')!.textContent = 'ready'
`,
  'src/items.ts': `import { gzipSync } from 'node:zlib'
import { endpoint, getContext, remote, RemoteError } from 'unplugin-flash'
import { z } from 'zod'
const api = endpoint({ name: 'items', maxConcurrency: 16, setup: async () => ({ since: 'setup ' + 'planted-setup' }) })
let aborted = 'nothing'
export const list = api.get('/items', ({ query, state }) => ({ query, page: typeof query.page, state: state.since }), {
  query: z.object({ page: z.number().int().default(1), tag: z.array(z.string()).default([]), all: z.boolean().optional() }),
})
export const one = api.get('/items/:id', ({ params, headers }) => ({ id: params.id, own: headers.get('x-own'), cookie: headers.get('cookie'), authorization: headers.get('authorization') }))
export const add = api.post('/items', ({ body }) => ({ added: body.name, count: body.count }), {
  body: z.object({ name: z.string().min(1), count: z.number().int().default(1) }),
  response: z.object({ added: z.string(), count: z.number() }),
})
export const remove = api.delete('/items/:id', () => undefined)
export const upload = api.post('/upload', async ({ request }) => {
  const form = await request.formData()
  const file = form.get('file') as File
  return { name: file.name, type: file.type, text: (await file.text()).slice(0, 20), size: file.size, note: form.get('note') }
})
export const count = api.get('/count/:to', async function* ({ params }) {
  for (let at = 1; at <= Number(params.to); at++) yield { at }
  if (params.to === '13') throw new RemoteError('UNLUCKY', 'no thirteen')
})
export const raw = api.get('/raw', () => new Response('teapot', { status: 418, headers: { 'x-kind': 'pot', 'set-cookie': 'a=b' } }))
export const down = api.get('/down', () => new Response('upstream is down', { status: 502, headers: { 'retry-after': '3600' } }))
export const zipped = api.get('/zipped', () => new Response(gzipSync('hello gzip'), { headers: { 'content-encoding': 'gzip' } }))
export const refuse = api.post('/refuse', () => {
  throw new RemoteError('FULL', 'no seats left', { data: { seats: 3 } })
})
export const broken = api.get('/broken', () => {
  throw new RangeError('secret detail')
})
export const slow = api.get('/slow', async ({ request }) => {
  const { signal } = getContext()
  aborted = 'waiting'
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, 20_000)
    for (const one of [signal, request.signal]) one.addEventListener('abort', () => {
      clearTimeout(timer)
      aborted = 'aborted'
      reject(signal.reason)
    })
  })
  return 'waited'
})
export const lastAbort = api.get('/last-abort', () => aborted)
export const pid = api.get('/pid', () => process.pid)
api.get('/silent', () => 'planted-silent')
export const live = api.ws('/live/:room', {
  open: (peer) => void peer.send('welcome'),
  message: (peer, message) => void peer.send('echo ' + message.text()),
})
export const beside = remote({ name: 'beside' }, async (n: number) => n + 'planted-queue'.length)
`,
  'src/site.ts': `import { Hono } from 'hono'
let visits = 0
const app = new Hono()
  .get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), visits: ++visits, path: new URL(c.req.url).pathname }))
  .post('/echo', async (c) => c.body(c.req.raw.body, 200, { 'content-type': c.req.header('content-type') ?? 'none' }))
  .get('/stream', () => new Response(new ReadableStream({ async start(controller) {
    for (const word of ['one ', 'two ', 'three']) {
      controller.enqueue(new TextEncoder().encode(word))
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    controller.close()
  } })))
export type AppType = typeof app
export default app
`,
  'src/modern.ts': `import { defineWebSocketHandler, H3 } from 'h3'
export const makeModern = () => new H3()
  .get('/from-h3', () => ({ made: 'with h3' }))
  .get('/socket', defineWebSocketHandler({ message: (peer, message) => void peer.send('h3 ' + message.text()) }))
`,
  'src/webs.ts': `import { endpoint } from 'unplugin-flash'
import app from './site.ts'
import { makeModern } from './modern.ts'
export const site = endpoint({ name: 'site', maxConcurrency: 8 }, app)
export const bare = endpoint({ name: 'bare-web' }, { fetch: (request: Request) => new Response(request.method + ' ' + new URL(request.url).pathname + new URL(request.url).search) })
export const modern = endpoint({ name: 'modern', maxConcurrency: 8 }, () => makeModern())
`,
  'src/ask.ts': `import { remote } from 'unplugin-flash'
import { add, count, list } from './items.ts'
import { site } from './webs.ts'
export const ask = remote({ name: 'asking' }, async (name: string) => {
  const found = await list({ query: { page: 2 } })
  const items: number[] = []
  for await (const { at } of await count({ params: { to: '3' } })) items.push(at)
  const hello = await (await site.fetch('/hello/' + name)).json() as { hello: string }
  return { page: found.query.page, items, hello: hello.hello, added: await add({ body: { name } }), refused: await add({ body: { name: '' } }).catch((error: any) => error.code) }
})
`,
}
