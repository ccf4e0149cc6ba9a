import { describe, expect, test } from 'vitest'
import { analyzeWithFacts, expectValid, freeNames, memoryHost } from './fixture.ts'
import { rewriteModule } from './rewrite.ts'

const code = `import { remote } from 'unplugin-flash'
import { mount } from './page'
import { open } from './model'
export const limit = 3, unused = mount(limit)
export const read = remote({ name: 'read' }, async () => open())
export const write = remote({ name: 'write' }, async () => limit)
export function helper() { return open() }
export default class Page { page = mount() }
const inner = helper
export { inner as outer, type T, mount as 'quoted name' }
export { one, two, type Three } from './named'
export * from './all'
export * as whole from './whole'
type T = string
mount(read)
`

async function workerWith(...demanded: string[]): Promise<string> {
  const analysis = await analyzeWithFacts(code, '/src/module.ts', memoryHost({}))
  const role = {
    kind: 'worker',
    keeps: ({ exportPath }: { exportPath: string }) => exportPath === 'write',
    demanded: new Set(demanded),
  } as const
  const output = rewriteModule(analysis, role).code
  expectValid(output, '/out.ts')
  expect([...freeNames(output, '/out.ts')]).toEqual(['Object'])
  return output
}

describe('a worker gives other modules of it what they import', () => {
  for (const [name, has, lacks] of [
    ['limit', ['const limit = 3'], ['mount(', 'open()', './all']],
    ['read', ['read = /* @__PURE__ */ __flash_stub('], ['open()', "'read' }"]],
    ['helper', ['function helper', "from './model'"], ['mount']],
    ['default', ['class Page', "from './page'"], ['mount(read)']],
    ['outer', ['inner as outer', 'function helper'], ['mount']],
    ['quoted name', ["mount as 'quoted name'", "from './page'"], ['mount(read)']],
    ['two', ["export { two, type Three } from './named'"], ['one', './all']],
    ['whole', ["export * as whole from './whole'"], ["export * from './all'"]],
    ['elsewhere', ["export * from './all'"], ['whole', 'helper']],
    [
      '*',
      [
        'const limit',
        'mount(limit)',
        'helper',
        'class Page',
        "export { one, two, type Three } from './named'",
        "export * from './all'",
      ],
      ['mount(read)'],
    ],
  ] as const) {
    test(name, async () => {
      const output = await workerWith(name)
      for (const text of has) expect(output).toContain(text)
      for (const text of lacks) expect(output).not.toContain(text)
    })
  }

  test('and of an endpoint whose routes run elsewhere, nothing that could be called', async () => {
    const host = memoryHost({})
    const analysis = await analyzeWithFacts(
      `import { endpoint, remote } from 'unplugin-flash'
export const api = endpoint({ name: 'api' })
export const read = api.get('/items', () => 'body')
export const write = remote({ name: 'write' }, async () => read())`,
      '/src/module.ts',
      host,
    )
    const keeps = ({ exportPath }: { exportPath: string }) => exportPath === 'write'
    const { code } = rewriteModule(analysis, { kind: 'worker', keeps, demanded: new Set(['api']) })
    expectValid(code, '/out.ts')
    expect(code).toContain('export const api = /* @__PURE__ */ __flash_no_client()')
    expect(code).toContain('export const read = /* @__PURE__ */ __flash_route("')
    expect(code).not.toMatch(/body|name: 'api'/)
  })

  test('and nothing when they import for effect', async () => {
    for (const name of ['', 'write']) expect(await workerWith(name)).not.toMatch(/helper|mount|Page/)
  })
})
