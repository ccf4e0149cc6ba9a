import { symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { createWorkerProject } from '../testing/workers.ts'
import type { BundleEngine } from './options.ts'

describe.each(['rolldown', 'rollup'] as BundleEngine[])('source maps of bundles made with %s', (engine) => {
  test.each([false, true])('lead to the line and word of the source, also minified: %s', async (minify) => {
    using project = await createWorkerProject(
      {
        'package.json': `{ "name": "app", "dependencies": { "old": "1.0.0" } }`,
        'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
        'node_modules/old/index.js': `const dir = __dirname\n\nexports.fail = () => { throw new Error('OLD' + dir) }`,
        'src/helper.ts': `interface Options { a: number }\n\nexport function fail(options: Options): never {\n  throw new Error('HELPER' + options.a)\n}\n`,
        'src/file.txt': 'x',
        'src/a.ts': `import { remote } from 'unplugin-flash'
import { fail } from './helper'
import { fail as other } from 'old'
export const hidden = remote({ name: 'hidden' }, async () => 'HIDDEN'); export const a = remote({ name: 'one' }, async (n: number) => {
  const url = new URL('./file.txt', import.meta.url)
  if (n > 1) throw new Error('OWN' + url + import.meta.env.MODE)
  return n > 0 ? fail({ a: n }) : other()
})
`,
      },
      { engine, minify },
    )
    await project.build()
    const code = project.read('one/main.mjs')
    const map = JSON.parse(project.read('one/main.mjs.map'))
    const traced = new TraceMap(map)
    const whereIs = (text: string) => {
      const before = code.slice(0, code.search(new RegExp(`["'\`]${text}`))).split('\n')
      const { source, line } = originalPositionFor(traced, {
        line: before.length,
        column: before.at(-1)!.length,
      })
      return [source, line]
    }
    expect(whereIs('OWN')).toEqual(['../../../src/a.ts', 6])
    expect(whereIs('HELPER')).toEqual(['../../../src/helper.ts', 4])
    expect(whereIs('OLD')).toEqual(['../../../node_modules/old/index.js', 3])
    expect(code.endsWith('\n//# sourceMappingURL=main.mjs.map\n')).toBe(true)
    expect(map).toMatchObject({ version: 3, file: 'main.mjs' })
    expect(map.sources.every((source: string) => source.startsWith('../../../'))).toBe(true)
    const shown = map.sourcesContent[map.sources.indexOf('../../../src/a.ts')]
    expect(shown).not.toContain('HIDDEN')
    expect(shown.split('\n')[5]).toBe(`  if (n > 1) throw new Error('OWN' + url + import.meta.env.MODE)`)
  })

  test('name packages outside of the project as if they were installed in it', async () => {
    using store = await createWorkerProject({
      'node_modules/far/package.json': `{ "name": "far", "version": "1.0.0", "type": "module", "main": "i.js" }`,
      'node_modules/far/i.js': `export const far = () => console.log('FAR')`,
    })
    using project = await createWorkerProject(
      {
        'package.json': `{ "name": "app", "dependencies": { "far": "1.0.0" } }`,
        'src/a.ts': `import { remote } from 'unplugin-flash'\nimport { far } from 'far'\nexport const a = remote({ name: 'one' }, async () => far())`,
      },
      { engine },
    )
    symlinkSync(store.path('node_modules/far'), project.path('node_modules/far'), 'junction')
    await project.build()
    const { sources } = JSON.parse(project.read('one/main.mjs.map'))
    expect(sources).toContain('../../../node_modules/far/i.js')
    expect(sources.join()).not.toContain(store.root.slice(1))
  })
})
