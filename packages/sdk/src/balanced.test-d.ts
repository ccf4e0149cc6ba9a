/**
 * What the types of load-balanced endpoints say, as assertions that the compiler checks; nothing here runs.
 * `types.test.ts` compiles this file under several settings.
 */
import { z } from 'zod'
import * as v from 'valibot'
import {
  type Api,
  type BalancedConfig,
  endpoint,
  type EndpointClient,
  type Route,
  type RouteCallOptions,
  type SocketHooks,
  type WebStub,
} from './index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [{ got: A; wanted: B }]): void
type Awaits<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>
type Options<F extends (...args: never[]) => unknown> = NonNullable<Parameters<F>[0]>

const api = endpoint({ name: 'types', cpu: 'cpu3c-2-4', scaling: { by: 'requestCount', requests: 2 } })
same<typeof api, Api>()

// --- paths ---

const plain = api.get('/items', () => [{ id: 1 }])
same<Awaits<typeof plain>, { id: number }[]>()
void plain()
void plain({})
void plain({
  headers: { 'x-a': 'b' },
  signal: new AbortController().signal,
  timeoutMs: 1,
  idempotencyKey: 'a',
})
void plain({ query: { page: 1, tag: ['a', 'b'], none: undefined } })
void plain({ query: new URLSearchParams('page=1') })

const one = api.get('/items/:id', async ({ params, query, headers, request }) => {
  same<typeof params, { id: string }>()
  same<typeof query.page, string | string[] | undefined>()
  same<typeof headers, Headers>()
  same<typeof request, Request>()
  return params.id
})
same<Awaits<typeof one>, string>()
void one({ params: { id: 'a' } })
void one({ params: { id: 7 }, query: { full: true } })

const two = api.put('/shops/:shop/items/:id', ({ params, body }) => {
  same<typeof params, { shop: string; id: string }>()
  same<typeof body, unknown>()
})
same<Awaits<typeof two>, undefined>()
void two({ params: { shop: 'a', id: 1 }, body: { any: 'thing' } })

const rest = api.delete('/files/**:path', ({ params }) => {
  same<typeof params, { path: string }>()
  return null
})
same<Awaits<typeof rest>, null>()
void rest({ params: { path: 'a/b' } })

const unnamed = api.options('/**', ({ params }) => {
  same<keyof typeof params, never>()
  return true
})
same<Awaits<typeof unnamed>, boolean>()
void unnamed()

declare const anyPath: `/${string}`
const open = api.head(anyPath, ({ params }) => {
  same<typeof params, { [name: string]: string }>()
})
void open()
void open({ params: { id: 1 } })

// --- schemas ---

const resize = api.post(
  '/resize/:width',
  async ({ params, query, body }) => {
    same<typeof params, { width: number }>()
    same<typeof query, { format: 'webp' | 'png'; from: Date }>()
    same<typeof body, { url: string; tags: string[] }>()
    return { width: params.width, made: query.from, body }
  },
  {
    params: z.object({ width: z.number().int() }),
    query: z.object({
      format: z.enum(['webp', 'png']).default('webp'),
      from: z.string().transform((text) => new Date(text)),
    }),
    body: z.object({ url: z.url(), tags: z.array(z.string()).default([]) }),
  },
)
same<Awaits<typeof resize>, { width: number; made: string; body: { url: string; tags: string[] } }>()
void resize({ params: { width: 1 }, query: { from: 'today' }, body: { url: 'x' } })
void resize({ params: { width: 1 }, query: { from: 'today', format: 'png' }, body: new FormData() })
same<Options<typeof resize>['params'], { width: number }>()
same<Options<typeof resize>['query'], { format?: 'webp' | 'png' | undefined; from: string }>()

// A schema of params that every path with these parameters can fit, or of which nobody knows.
const filed = api.get('/shops/:shop/files/**:path', ({ params }) => params, {
  params: z.object({ shop: z.coerce.number<string>(), path: z.string(), more: z.string().optional() }),
})
same<Awaits<typeof filed>, { shop: number; path: string; more?: string }>()
same<Options<typeof filed>['params'], { shop: string; path: string; more?: string | undefined }>()
const fewer = api.get('/shops/:shop/items/:id', ({ params }) => params, {
  params: v.object({ id: v.string() }),
})
same<Awaits<typeof fewer>, { id: string }>()
const oneOf = api.get('/one/:a', ({ params }) => params, {
  params: z.union([z.object({ a: z.literal('x') }), z.object({ b: z.string() })]).transform(() => 1),
})
same<Awaits<typeof oneOf>, number>()
const perhaps = api.get('/perhaps/:a', () => 1, { params: z.object({ a: z.string() }).optional() })
const records = api.get('/records/:a', () => 1, { params: z.record(z.string(), z.string()) })
const preprocessed = api.get('/any/:a', ({ params }) => params.b, {
  params: z.preprocess((given) => given, z.object({ b: z.string() })),
})
const unchecked = api.get('/unchecked/:a', () => 1, { params: z.any() })
const openSchema = api.get(anyPath, ({ params }) => params.b, { params: z.object({ b: z.string() }) })
same<Awaits<typeof openSchema>, string>()

const upload = api.post(
  '/upload',
  ({ body }) => {
    same<typeof body, { name: string; files: File[] }>()
    return body.files.length
  },
  { body: z.object({ name: z.string(), files: z.array(z.instanceof(File)) }) },
)
same<Options<typeof upload>['body'], FormData>()
const lenient = api.post('/search', ({ query, body }) => ({ page: query.page, body }), {
  query: z.object({ page: z.number().default(1) }),
  body: z.string().optional(),
})
same<Awaits<typeof lenient>, { page: number; body?: string }>()
void lenient()
void lenient({ body: 'x', query: {} })

const checked = api.get('/total', () => ({ total: '12', at: new Date(0) }), {
  response: v.object({ total: v.pipe(v.string(), v.transform(Number)), at: v.date() }),
})
same<Awaits<typeof checked>, { total: number; at: string }>()
const checkedLiteral = api.get('/kind', async (_input) => ({ kind: 'a' }), {
  response: z.object({ kind: z.literal('a') }),
})
same<Awaits<typeof checkedLiteral>, { kind: 'a' }>()
const checkedItems = api.get(
  '/ticks',
  async function* ({ query }) {
    yield Number(query['from'])
  },
  { response: z.number().transform(String) },
)
same<Awaits<typeof checkedItems>, AsyncGenerator<string, void>>()
const checkedOrNot = api.get(
  '/maybe',
  ({ query }) => (query['page'] ? { n: 1 } : new Response(null, { status: 404 })),
  { response: z.object({ n: z.number() }), local: true },
)
same<Awaits<typeof checkedOrNot>, Response | { n: number }>()

// --- results ---

const response = api.get('/response', async () => new Response('text'))
same<Awaits<typeof response>, Response>()
const stream = api.get('/stream', () => new ReadableStream<Uint8Array>())
same<Awaits<typeof stream>, Response>()
const blob = api.get('/blob', () => new Blob([]))
same<Awaits<typeof blob>, Response>()
const bytes = api.get('/bytes', async () => new Uint8Array(1))
same<Awaits<typeof bytes>, Response>()
declare const pipeline: { pipe<T>(to: T): T; [Symbol.asyncIterator](): AsyncIterator<string> }
const node = api.get('/node', () => pipeline)
same<Awaits<typeof node>, Response>()
const either = api.get('/either', ({ query }) => (query['raw'] ? new Response() : { a: 1 }))
same<Awaits<typeof either>, Response | { a: number }>()
const items = api.get('/items', async function* () {
  yield { at: new Date(), n: 1 }
})
same<Awaits<typeof items>, AsyncGenerator<{ at: string; n: number }, void>>()
const syncItems = api.post('/items', function* () {
  yield 'a'
})
same<Awaits<typeof syncItems>, AsyncGenerator<string, void>>()
const later = api.get('/later', async (): Promise<AsyncIterable<number>> => count())
same<Awaits<typeof later>, AsyncGenerator<number, void>>()
declare function count(): AsyncGenerator<number>
async function read() {
  for await (const { n } of await items()) same<typeof n, number>()
}
const nothing = api.post('/nothing', () => {})
same<Awaits<typeof nothing>, undefined>()
const maybe = api.get('/maybe/:id', ({ params }) => (params.id === '1' ? { id: 1 } : undefined))
same<Awaits<typeof maybe>, { id: number } | undefined>()
const throwing = api.get('/throws', () => {
  throw new Error('always')
})
same<Awaits<typeof throwing>, never>()
const ofAny = api.get('/any', (): any => 1)
same<Awaits<typeof ofAny>, any>()
const ofUnknown = api.get('/unknown', (): unknown => 1)
same<Awaits<typeof ofUnknown>, unknown>()

type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
interface Tree {
  value: Date
  children: readonly Tree[]
  parent?: Tree
}
type UserId = string & { readonly __brand: 'UserId' }
const rich = api.get('/rich', () => ({
  when: new Date(),
  url: new URL('http://x'),
  inner: [new Uint8Array(1)],
  pair: ['a', new Date()] as [string, Date],
  list: [undefined] as (number | undefined)[],
  gone: undefined,
  perhaps: 'a' as string | undefined,
  id: 'a' as UserId,
  kind: 'a' as 'a' | 'b',
  json: {} as JsonValue,
  record: {} as Record<string, Date>,
  anything: {} as any,
  whatever: {} as unknown,
  tree: {} as Tree,
}))
type Rich = Awaits<typeof rich>
same<Rich['when'], string>()
same<Rich['url'], string>()
same<Rich['inner'], string[]>()
same<Rich['pair'], [string, string]>()
same<Rich['list'], (number | null)[]>()
same<Pick<Rich, 'perhaps'>, { perhaps?: string }>()
same<Rich['id'], UserId>()
same<Rich['kind'], 'a' | 'b'>()
same<Rich['record'], Record<string, string>>()
same<Rich['anything'], any>()
same<Rich['whatever'], unknown>()
declare const whole: Rich
const json: JsonValue = whole.json
const again: Rich['json'] = json
const deep: string | undefined = whole.tree.children[0]?.parent?.value

// --- setup ---

interface Model {
  embed(text: string): number[]
}
const config = {
  name: 'with-state',
  setup: async (): Promise<Model> => ({ embed: () => [] }),
} satisfies BalancedConfig
const withState = endpoint(config)
same<typeof withState, Api<{ state: Model }>>()
const embed = withState.post(
  '/embed',
  ({ body, state }) => {
    same<typeof state, Model>()
    return state.embed(body.text)
  },
  { body: z.object({ text: z.string() }) },
)
same<Awaits<typeof embed>, number[]>()
void embed({ body: { text: 'a' } })
const named = async ({ params, state }: { params: { id: string }; state: Model }) => state.embed(params.id)
const ofNamed = withState.get('/named/:id', named)
same<Awaits<typeof ofNamed>, number[]>()

// --- the type of a route ---

const route: Route<{ readonly params: { readonly id: string | number } } & RouteCallOptions, string> = one
const typed: Api = api

// --- sockets ---

const live = api.ws('/live', {
  upgrade: (request) => {
    same<typeof request.headers, Headers>()
    return { context: { user: 'a' } }
  },
  open: (peer) => void peer.send('hello'),
  message(peer, message) {
    peer.send({ said: message.text() })
    peer.publish('all', message.json<number[]>())
  },
  close: (_peer, { code, reason }) => console.log(code, reason),
})
async function connect() {
  const socket = await live.connect()
  socket.send('text')
  socket.addEventListener('message', () => socket.close(1000, 'done'))
  return live.connect({ query: { room: 1 }, protocols: ['a'], signal: new AbortController().signal })
}
const room = api.ws('/rooms/:room', {
  open(peer) {
    same<typeof peer.context.params, { room: string }>()
    peer.subscribe(peer.context.params.room)
  },
})
void room.connect({ params: { room: 1 }, protocols: 'a' })
const hooks: SocketHooks = { upgrade: () => new Response(null, { status: 403 }) }
void api.ws(anyPath, hooks).connect({ params: { id: 'a' } })

// --- web apps ---

const site = endpoint({ name: 'site' }, { fetch: () => new Response('x') })
same<typeof site, WebStub>()
const ofFetcher = endpoint(
  { name: 'site' },
  { fetch: async (request: Request, _env?: object) => new Response(request.url) },
)
const made = endpoint({ name: 'made' }, async () => ({
  fetch: (request: Request) => new Response(request.body),
}))
same<ReturnType<typeof made.fetch>, Promise<Response>>()
void ofFetcher.get('/x', { headers: { a: 'b' } })
void site.post('/x', { body: 'text' })
void site.fetch(new Request('http://x/'), { method: 'PUT' })
async function visit() {
  const socket = await site.connect('/live', { protocols: 'a' })
  socket.close()
}

// --- images ---

const image = endpoint({ image: 'owner/image:1', name: 'with-image', gpu: 'NVIDIA L4', workers: [0, 3] })
same<typeof image, EndpointClient>()
void image.get<number>('/x')
void image.run({ a: 1 })
const ofSchema = endpoint({ image: 'owner/image', name: 'with-image', output: z.number() })
same<Awaits<typeof ofSchema.runSync>, number>()
const byHand = endpoint<{ url: string }, string>({
  image: 'owner/image',
  name: 'with-image',
  cpu: 'cpu3c-2-4',
})
same<typeof byHand, EndpointClient<{ url: string }, string>>()

/** Exported, so that the declarations of such a module are checked too. */
export {
  again,
  api,
  connect,
  deep,
  live,
  ofNamed,
  ofSchema,
  openSchema,
  perhaps,
  preprocessed,
  read,
  records,
  resize,
  rich,
  room,
  route,
  site,
  typed,
  unchecked,
  visit,
  withState,
}
