import type { ServerFunction } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createBuiltRoutes, refuseServerRoutes } from './built.ts'

const route = (id: string, local?: true): ServerFunction => ({
  id,
  endpoint: 'account',
  exportPath: `api.GET /${id}`,
  kind: 'route',
  route: { method: 'GET', path: `/${id}`, schemas: [], ...(local && { local }) },
  callables: [],
  constructorParams: null,
  hasInput: false,
  setup: null,
})

const facts = {
  app: 'shop',
  prefix: '/_flash',
  functions: [route('me', true), route('gone', true), route('far')],
}
const ask = () => new Request('http://localhost/me')

test('its module is loaded with the first request, and answers', async () => {
  const load = vi.fn(async () => ({ __flash_functions: { me: async () => new Response('here') } }))
  const routes = createBuiltRoutes(facts, { me: load, gone: load })
  expect(['me', 'gone', 'far', 'other'].map(routes.has)).toEqual([true, true, false, false])
  expect(load).not.toHaveBeenCalled()
  expect(await (await routes.answer('me', ask())).text()).toBe('here')
  await expect(routes.answer('gone', ask())).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
})

test('a module with nothing of ours says who may have taken it', async () => {
  const routes = createBuiltRoutes(facts, { me: async () => ({}) })
  await expect(routes.answer('me', ask())).rejects.toMatchObject({ hint: expect.stringContaining('flash()') })
})

test('a server that was built without the module says that it is another one', async () => {
  const routes = createBuiltRoutes(facts, {})
  await expect(routes.answer('me', ask())).rejects.toMatchObject({
    code: 'LOCAL_NEEDS_SERVER',
    message: expect.stringContaining('`api.GET /me`'),
  })
})

test('what has no server of the app refuses an app with such routes', () => {
  expect(() => refuseServerRoutes(facts)).toThrow(/`api\.GET \/me` has `local: true`/)
  expect(() => refuseServerRoutes({ ...facts, functions: [route('far')] })).not.toThrow()
})
