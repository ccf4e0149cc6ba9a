import { expect, test, vi } from 'vitest'
import { appApi, appRoute, type AppRoutes } from '../local/in-process/app.ts'

function open(path: string) {
  const handler = vi.fn(({ params }) => params)
  const routes: AppRoutes = Object.create(null)
  const fact = { endpoint: 'account', setup: null }
  appRoute(routes, 'one', appApi({}), 'DELETE', path, handler, {}, fact)
  const ask = (at: string) => routes.one!(new Request(`http://localhost${at}`, { method: 'DELETE' }))
  return { ask, handler }
}

for (const at of ['/people/.', '/people/%2e', '/people/', '/people/a/b', '/else', '//people/a']) {
  test(`a handler does not run for a path that is not its route’s: ${at}`, async () => {
    const { ask, handler } = open('/people/:id')
    const answer = await ask(at)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ code: 'NOT_FOUND' })
    expect(handler).not.toHaveBeenCalled()
  })
}

for (const at of ['/people/%5ca', '/people/%252e%252e', '/people/..%2fa', '/people/%00']) {
  test(`nor for one that could lead elsewhere: ${at}`, async () => {
    const { ask, handler } = open('/people/:id')
    const answer = await ask(at)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'BAD_PATH' })
    expect(handler).not.toHaveBeenCalled()
  })
}

test('it runs for its own', async () => {
  const { ask } = open('/people/:id')
  expect(await (await ask('/people/a%20b')).json()).toEqual({ id: 'a b' })
})
