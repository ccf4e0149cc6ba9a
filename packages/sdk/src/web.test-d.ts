/**
 * Web apps and hooks of other libraries as what `endpoint` and `api.ws` take, as assertions that the compiler checks; nothing here
 * runs. `types.test.ts` compiles this file under several settings.
 */
import { defineHooks, type Hooks } from 'crossws'
import { defineWebSocketHandler, H3 } from 'h3'
import { Hono } from 'hono'
import { hc } from 'hono/client'
import { endpoint, type WebStub } from './index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [{ got: A; wanted: B }]): void

const app = new Hono<{ Bindings: { TOKEN: string } }>().get('/items/:id', (context) =>
  context.json({ id: context.req.param('id') }),
)

const site = endpoint({ name: 'site' }, app)
same<typeof site, WebStub>()
void endpoint({ name: 'later' }, async () => app)
void endpoint({ name: 'of-h3' }, new H3())
void endpoint(
  { name: 'of-h3' },
  new H3().get(
    '/live',
    defineWebSocketHandler({ message: (peer, message) => void peer.send(message.text()) }),
  ),
)

const client = hc<typeof app>('http://site', { fetch: site.fetch })
async function ask() {
  const answer = await client.items[':id'].$get({ param: { id: 'a' } })
  const { id } = await answer.json()
  same<typeof id, string>()
}

const api = endpoint({ name: 'api' })
declare const hooks: Partial<Hooks>
void api.ws('/live', hooks)
void api.ws(
  '/live',
  defineHooks({ open: (peer) => void peer.send('a'), upgrade: () => ({ headers: { a: 'b' } }) }),
)

export { ask, site }
