import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type InlineConfig, resolveConfig } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { findServerEnvironment, hasServerOutput } from './server-output.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-output-')))
writeFileSync(join(root, 'index.html'), '')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const base: InlineConfig = { root, configFile: false, logLevel: 'silent' }
const ours = { flash: { consumer: 'server' as const } }
const pages = { rolldownOptions: { input: { one: 'one.html', other: 'other.html' } } }
const server = { rolldownOptions: { input: 'src/server.ts' } }

for (const [what, own, wanted] of [
  ['pages alone', {}, false],
  ['several pages', { build: pages }, false],
  ['`build.ssr`', { build: { ssr: 'src/server.ts' } }, true],
  ['a server environment with an input', { environments: { ssr: { build: server } } }, true],
  ['several pages, and a server', { build: pages, environments: { api: { build: server } } }, true],
  [
    'a server environment that says it as `input`',
    { environments: { ssr: { input: 'src/server.ts' } } },
    true,
  ],
  [
    'a server environment with `build.ssr`',
    { environments: { ssr: { build: { ssr: 'src/server.ts' } } } },
    true,
  ],
  ['a server environment without an input', { environments: { api: { consumer: 'server' } } }, false],
  ['another one for browsers', { environments: { more: { consumer: 'client', build: server } } }, false],
] as [string, InlineConfig, boolean][])
  for (const command of ['serve', 'build'] as const)
    test(`server output (${command}): ${what}`, async () => {
      const environments = { ...ours, ...own.environments }
      const config = await resolveConfig({ ...base, ...own, environments }, command)
      expect(hasServerOutput(config)).toBe(wanted)
    })

for (const [what, environments, wanted] of [
  ['that of the framework, with an input', { api: { build: server } }, 'api'],
  ["Vite's own", { api: { consumer: 'server' } }, 'ssr'],
] as [string, InlineConfig['environments'], string][])
  test(`where the code of the server runs in development: ${what}`, async () => {
    const vite = await createServer({
      ...base,
      environments: { ...ours, ...environments },
      server: { middlewareMode: true, ws: false, watch: null },
      optimizeDeps: { noDiscovery: true },
    })
    try {
      expect((await findServerEnvironment(vite))?.name).toBe(wanted)
    } finally {
      await vite.close()
    }
  })

test('nowhere, where the dev server runs no code itself', async () => {
  const build = {} as never
  const environments = { flash: { name: 'flash', config: { consumer: 'server' } } }
  expect(await findServerEnvironment({ config: { build }, environments } as never)).toBeNull()
})
