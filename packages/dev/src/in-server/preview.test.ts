import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCapability } from '@flash/server'
import { afterEach, expect, test } from 'vitest'
import { createPreviewRoutes } from './preview.ts'

const capability = createCapability(new Uint8Array(32))
const manifest = { endpoints: { small: { functions: [{ id: 'bundled' }] } } }
const errors: unknown[] = []
const routes = createPreviewRoutes(manifest as never, capability, {
  prefix: '/_flash',
  onInternal: (error) => errors.push(error),
})
const address = (id: string) => `/_flash/rpc/${id}.${capability.tag(id)}`

for (const [what, url, wanted] of [
  ['a stub of this build that no bundle answers', address('own'), true],
  ['with a query', `${address('own')}?run`, true],
  ['a function of a bundle', address('bundled'), false],
  ['a tag of another key', '/_flash/rpc/own.aaaaaaaaaaaaaaaa', false],
  ['no function', '/_flash/rpc/resume', false],
  ['something else', '/own', false],
] as const)
  test(`of the server of the app: ${what}`, () => expect(routes.isOne(url)).toBe(wanted))

const closing: (() => unknown)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

test('where nobody else answers such a call, it is told what is missing', async () => {
  const server = createServer((request, response) =>
    routes.refuse(request, response, () => response.end('next')),
  )
  closing.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = await fetch(url + address('own'), { method: 'POST' })
  expect([answer.status, await answer.json()]).toMatchObject([501, { code: 'LOCAL_NEEDS_SERVER' }])
  expect(await (await fetch(`${url}/page`)).text()).toBe('next')
  expect(errors).toEqual([])
})
