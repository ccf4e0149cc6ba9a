import { describe, expect, test } from 'vitest'
import { createWorkerProject } from '../testing/workers.ts'
import { type BundleEngine } from './options.ts'

const files = {
  'src/a.ts': `import { remote } from 'unplugin-flash'
import { made } from 'virtual:made'
import text from './notes.txtx'
const unused = 'UNUSED_LOCAL'
export const a = remote({ name: 'one' }, async () => [made, text])
export const b = remote({ name: 'two' }, async () => made)`,
  'src/notes.txtx': 'from a file',
}

/** Makes one module of its own, and turns files of one ending into modules. */
function createPlugin(made: string[]) {
  return {
    name: 'mine',
    buildStart: () => void made.push('start'),
    resolveId: (id: string) => (id === 'virtual:made' ? '\0made' : null),
    load: (id: string) =>
      id === '\0made' ? `export const made = ['by a plugin', import.meta.env.MODE]` : null,
    transform: (code: string, id: string) =>
      id.endsWith('.txtx') ? { code: `export default ${JSON.stringify(code)}`, map: null } : null,
  }
}

describe.each(['rolldown', 'rollup'] as BundleEngine[])('options of the worker build with %s', (engine) => {
  test('plugins come first and are made anew for each endpoint', async () => {
    const made: string[] = []
    using project = await createWorkerProject(files, { engine, plugins: () => [createPlugin(made)] })
    await project.build()
    expect(await project.call('one', 'a')).toEqual([['by a plugin', 'production'], 'from a file'])
    expect(await project.call('two', 'b')).toEqual(['by a plugin', 'production'])
    expect(made).toEqual(['start', 'start'])
    expect(project.builder.inputs()).toContain(project.path('src/notes.txtx'))
    project.write({ 'src/notes.txtx': 'changed' })
    expect((await project.build()).rebuilt).toEqual(['one'])
  })

  test('what plugins write is looked at like what is there: files beside it, and none that are not', async () => {
    const writing = {
      name: 'writing',
      transform: (code: string, id: string) =>
        id.endsWith('a.ts')
          ? code.replace(
              'GONE',
              "' + new URL('./gone.bin', import.meta.url) + new URL('./a.bin', import.meta.url) + '",
            )
          : null,
    }
    using project = await createWorkerProject(
      {
        'src/a.bin': 'A',
        'src/a.ts': `import { remote } from 'unplugin-flash'\nexport const a = remote({ name: 'one' }, async () => 'GONE')`,
      },
      { engine, plugins: () => [writing] },
    )
    const { warnings } = await project.build()
    expect(warnings.map(({ code, at }) => [code, at])).toEqual([['ASSET_NOT_FOUND', undefined]])
    expect(project.written().filter((file) => file.includes('assets'))).toHaveLength(1)
  })

  test('`minify` gives smaller bundles that do the same', async () => {
    const sizes: number[] = []
    for (const minify of [false, true]) {
      using project = await createWorkerProject(files, { engine, minify, plugins: () => [createPlugin([])] })
      const { manifest } = await project.build()
      sizes.push(manifest.endpoints.one!.bundle.bytes)
      expect(await project.call('one', 'a')).toEqual([['by a plugin', 'production'], 'from a file'])
    }
    expect(sizes[1]).toBeLessThan(sizes[0]! * 0.8)
  })

  test('`inputOptions` are combined with ours', async () => {
    using project = await createWorkerProject(
      {
        'src/side.ts': `export const x = 1; export const unused = 'UNUSED_EXPORT'`,
        'src/a.ts': `import { remote } from 'unplugin-flash'\nimport { x } from './side'\nexport const a = remote({ name: 'one' }, async () => typeof x)`,
      },
      { engine, inputOptions: { treeshake: false } },
    )
    await project.build()
    expect(await project.call('one', 'a')).toBe('number')
    expect(project.read('one/main.mjs')).toContain('UNUSED_EXPORT')
  })
})

for (const name of ['input', 'plugins', 'platform', 'external', 'cwd', 'output']) {
  test(`the bundler option \`${name}\` is refused, saying what there is instead`, async () => {
    const project = createWorkerProject({}, { inputOptions: { [name]: 1, treeshake: true } })
    await expect(project).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining(`\`${name}\`: `),
    })
  })
}
