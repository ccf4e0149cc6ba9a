import type { ServerFunction } from '@flash/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import type { AuthorizedCall, Verdict } from '../authorize.ts'
import { bindHandler } from '../bind-handler.ts'
import { routesOf } from '../target.ts'
import { fetchBody, readFrames } from '../testing/balanced.ts'
import { key, refOf, serve } from '../testing/production.ts'

const route = (id: string, path: string, local?: true): ServerFunction => ({
  id,
  endpoint: 'account',
  exportPath: `api.GET ${path}`,
  kind: 'route',
  route: { method: 'GET', path, schemas: [], ...(local && { local }) },
  callables: [],
  constructorParams: null,
  hasInput: false,
  setup: null,
})

const functions = [
  route('me', '/me', true),
  route('person', '/people/:id', true),
  route('newest', '/people/new', true),
  route('far', '/:name'),
]

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})

async function open(authorize: (request: Request, call: AuthorizedCall) => Verdict = () => true) {
  const seen: Request[] = []
  const answer = async (request: Request) => {
    seen.push(request)
    return new Response(`${request.headers.get('cookie')} ${new URL(request.url).pathname}`, {
      headers: { 'set-cookie': 'own=1', 'x-kind': 'own' },
    })
  }
  const load = async () => ({ __flash_functions: { me: answer, person: answer, newest: answer } })
  const facts = { app: 'shop', prefix: '/_flash', functions }
  const modules = { me: load, person: load, newest: load }
  const createFlashHandler = bindHandler(facts, Buffer.from(key).toString('base64url'), modules)
  const server = await serve(createFlashHandler({ authorize, maxBodyBytes: 500, onError: () => {} }))
  closing.push(server.close)
  const ask = async (id: string, path: string, headers: [string, string][] = []) => {
    const body = fetchBody({ path, headers })
    const sent = await server.post(refOf(id), null, { body, headers: { cookie: 'user=ada' } })
    return { code: sent.code, ...readFrames(sent.messages) }
  }
  return { ask, seen }
}

test('a page is answered by this process, which sees what the page keeps for it', async () => {
  const { ask } = await open()
  const answer = await ask('me', '/me', [['cookie', 'user=somebody-else']])
  expect([answer.status, answer.text, answer.isComplete]).toEqual([200, 'user=ada /me', true])
  expect([answer.headers.get('x-kind'), answer.headers.get('set-cookie')]).toEqual(['own', null])
})

test('whoever may not call reaches no handler', async () => {
  const calls: AuthorizedCall[] = []
  const { ask, seen } = await open((_, call) => {
    calls.push(call)
    return false
  })
  expect((await ask('person', '/people/7')).code).toBe('FORBIDDEN')
  expect(calls).toMatchObject([{ kind: 'fetch', endpoint: 'account', method: 'GET', path: '/people/7' }])
  expect((await ask('me', `/me?${'x'.repeat(500)}`)).code).toBe('PAYLOAD_TOO_LARGE')
  expect(seen).toEqual([])
})

test('the path is the route’s own, and not one that another route here says more of', async () => {
  const { ask } = await open()
  expect((await ask('person', '/people/7')).text).toBe('user=ada /people/7')
  expect((await ask('person', '/people/new')).code).toBe('BAD_REQUEST')
  expect((await ask('me', '/people/7')).code).toBe('BAD_REQUEST')
})

test('routes of workers are looked for elsewhere, without those of this process', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  vi.stubEnv('RUNPOD_API_KEY', undefined)
  vi.stubEnv('FLASH_ENDPOINT_ACCOUNT', undefined)
  const { ask, seen } = await open()
  expect((await ask('far', '/me')).error).toMatchObject({ code: 'INTERNAL' })
  expect(seen).toEqual([])
  const paths = (id: string) =>
    routesOf(functions, functions.find((one) => one.id === id)!)!.map(({ path }) => path)
  expect([paths('far'), paths('me')]).toEqual([['/:name'], ['/me', '/people/:id', '/people/new']])
})
