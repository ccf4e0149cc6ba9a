import type { FunctionFact } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createServerRoutes } from './routes.ts'

const fact = (id: string, local?: true, file = '/app/src/me.ts') =>
  ({
    id,
    exportPath: `api.GET /${id}`,
    file,
    at: { file: 'src/me.ts', line: 4, column: 19 },
    route: { method: 'GET', path: `/${id}`, schemas: [], ...(local && { local }) },
  }) as unknown as FunctionFact

const facts = [fact('me', true), fact('far'), fact('outside', true, '/other/me.ts')]
const project = { get: (id: string) => facts.find((one) => one.id === id) }
const ask = () => new Request('http://localhost/me')

const make = (load: (url: string) => Promise<unknown>) =>
  createServerRoutes({ root: '/app', project, server: { runner: { import: load } } as never })

test('a route is that of the module as the server of the app has it now', async () => {
  let text = 'first'
  const load = vi.fn(async () => ({ __flash_functions: { me: async () => new Response(text) } }))
  const routes = make(load)
  expect(['me', 'far', 'none'].map(routes.has)).toEqual([true, false, false])
  expect(await (await routes.answer('me', ask())).text()).toBe('first')
  text = 'second'
  expect(await (await routes.answer('me', ask())).text()).toBe('second')
  expect(load.mock.calls).toEqual([['/src/me.ts'], ['/src/me.ts']])
  await expect(routes.answer('outside', ask())).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
  expect(load).toHaveBeenLastCalledWith('/@fs/other/me.ts')
})

test('a module that does not load says where', async () => {
  const broken = Object.assign(new Error('Unexpected token'), {
    loc: { file: '/app/src/deep.ts', line: 2, column: 4 },
  })
  await expect(make(() => Promise.reject(broken)).answer('me', ask())).rejects.toMatchObject({
    code: 'MODULE_FAILED',
    at: { file: 'src/deep.ts', line: 2, column: 5 },
  })
})

test('without a server of the app the route is refused with its place', async () => {
  const routes = createServerRoutes({ root: '/app', project, server: null })
  await expect(routes.answer('me', ask())).rejects.toMatchObject({
    code: 'LOCAL_NEEDS_SERVER',
    message: expect.stringContaining('(src/me.ts:4:19)'),
    at: { line: 4 },
  })
})
