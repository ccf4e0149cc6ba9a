import { H3 } from 'h3'
import { expect, test } from 'vitest'
import { isDocsPage } from './page.ts'
import { addDocsRoutes } from './routes.ts'
import type { OpenApiDocument } from './types.ts'

const document = { openapi: '3.1.1', servers: [] } as unknown as OpenApiDocument

function createApp(prefix = '/_flash') {
  const app = new H3({ silent: true })
  addDocsRoutes(app, { prefix, document: async () => document })
  return (path: string) => app.fetch(new Request(`http://localhost:5173${path}`))
}

test('the document says where the routes are for whoever asks', async () => {
  const response = await createApp()('/openapi.json')
  expect(await response.json()).toEqual({
    openapi: '3.1.1',
    servers: [{ url: 'http://localhost:5173/_flash' }],
  })
})

test('the page has no script of its own, and all it loads is beside it', async () => {
  const ask = createApp('/a&"b/_flash')
  const response = await ask('/docs')
  const page = await response.text()
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page).not.toMatch(/<script>|https?:/)
  const files = [...page.matchAll(/(?:src|href)="\/a&amp;&quot;b\/_flash(\/[^"]+)"/g)].map(
    ([, file]) => file!,
  )
  expect(files).toEqual(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/init.js'])
  for (const file of files) {
    const loaded = await ask(file)
    expect(loaded.status).toBe(200)
    expect(loaded.headers.get('content-type')).toMatch(/^text\/(?:css|javascript);/)
    expect((await loaded.arrayBuffer()).byteLength).toBeGreaterThan(100)
  }
})

test('the page has no other files', async () => {
  for (const path of ['/docs/package.json', '/docs/..%2fpackage.json', '/docs/constructor'])
    expect((await createApp()(path)).status).not.toBe(200)
})

for (const [method, url, is] of [
  ['GET', '/docs', true],
  ['GET', '/docs?x=1', true],
  ['POST', '/docs', false],
  ['GET', '/docs/init.js', false],
  ['GET', '/openapi.json', false],
] as const) {
  test(`${method} ${url} is ${is ? '' : 'not '}for the address bar`, () =>
    expect(isDocsPage(method, url)).toBe(is))
}
