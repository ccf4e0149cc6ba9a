import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contextStorage } from '../../execute/context.ts'
import { appApi, appRoute, type AppRoutes } from './app.ts'

const info = (setup: string | null = null) => ({ endpoint: 'shop', setup })

test('a route answers code of this process, and requests of whoever finds it by its id', async () => {
  const routes: AppRoutes = Object.create(null)
  const api = appApi({ name: 'shop' })
  const handler = ({ params, body }: any) => ({
    ...params,
    ...body,
    in: contextStorage().getStore()!.endpoint,
  })
  const options = { params: z.object({ id: z.number() }), body: z.object({ name: z.string() }) }
  const add: any = appRoute(routes, 'add', api, 'POST', '/items/:id', handler, options, info())
  expect(await add({ params: { id: 7 }, body: { name: 'n' } })).toEqual({ id: 7, name: 'n', in: 'shop' })

  const init = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const ask = (body: string) => routes.add!(new Request('http://app/items/8', { ...init, body }))
  expect(await (await ask('{ "name": "m" }')).json()).toEqual({ id: 8, name: 'm', in: 'shop' })
  const refused = await ask('{}')
  expect([refused.status, refused.headers.get('x-flash-result')]).toEqual([422, 'error'])
  expect(await refused.json()).toMatchObject({ code: 'BAD_INPUT', data: { field: 'body.name' } })
})

test('routes of one endpoint share a state, which is made again when its module is', async () => {
  let made = 0
  const load = () => {
    const routes: AppRoutes = Object.create(null)
    const api = appApi({ name: 'shop', setup: () => ({ made: ++made }) })
    for (const id of ['one', 'other'])
      appRoute(routes, id, api, 'GET', `/${id}`, ({ state }: any) => state, {}, info('a#setup'))
    return async (id: string) => (await routes[id]!(new Request(`http://app/${id}`))).json()
  }
  const first = load()
  expect([await first('one'), await first('other')]).toEqual([{ made: 1 }, { made: 1 }])
  const second = load()
  expect([await second('other'), await second('one')]).toEqual([{ made: 2 }, { made: 2 }])
})

test('what a handler throws is in the log of the server, and not in the answer', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const routes: AppRoutes = Object.create(null)
    const fail = () => Promise.reject(new Error('secret detail'))
    appRoute(routes, 'broken', appApi({}), 'GET', '/', fail, {}, info())
    const answer = await routes.broken!(new Request('http://app/'))
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
    expect(String(write.mock.calls)).toContain('secret detail')
  } finally {
    write.mockRestore()
  }
})
