import { afterEach, expect, test, vi } from 'vitest'
import { type Listener, openListener } from './listener.ts'

let listener: Listener
afterEach(() => listener.close())

const rpc = vi.fn(async () => new Response('answered'))

async function ask(path: string, authorization = 'Bearer secret') {
  listener = await openListener(rpc, { token: 'secret', tokenPlace: '.flash/dev.json' })
  return fetch(`${listener.url}${path}`, { method: 'POST', headers: { authorization } })
}

test('calls with the token are those of a server', async () => {
  const response = await ask('/rpc/abc')
  expect(await response.text()).toBe('answered')
  expect(rpc).toHaveBeenCalledWith(expect.anything(), 'abc', { kind: 'server', subject: null })
  expect(new URL(listener.url).hostname).toBe('127.0.0.1')
})

for (const [what, path, authorization, status, problem] of [
  ['without the token', '/rpc/abc', '', 401, { code: 'UNAUTHORIZED', hint: 'it is in .flash/dev.json' }],
  ['elsewhere', '/', 'Bearer secret', 404, { code: 'NOT_FOUND', message: 'nothing answers at /' }],
  ['below a function', '/rpc/abc/d', 'Bearer secret', 404, { code: 'NOT_FOUND' }],
] as const) {
  test(`a request ${what} is refused`, async () => {
    rpc.mockClear()
    const response = await ask(path, authorization)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-flash')).toBe('1')
    expect(await response.json()).toMatchObject(problem)
    expect(rpc).not.toHaveBeenCalled()
  })
}

test('closing ends it with its connections', async () => {
  await ask('/rpc/abc')
  await listener.close()
  await expect(fetch(listener.url)).rejects.toThrow()
})
