import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTestProject } from '../testing/project.ts'
import { createWorkerProject } from '../testing/workers.ts'
import type { BundleEngine } from './options.ts'

const head = `import { remote } from 'unplugin-flash'\n`

const files = {
  'package.json': `{ "name": "app", "dependencies": { "pack": "1.0.0" } }`,
  'node_modules/pack/package.json': `{ "name": "pack", "version": "1.0.0", "main": "i.js" }`,
  'node_modules/pack/i.js': `exports.packed = 'packed'`,
  'src/shared.ts': `export const shared = 'shared'`,
  'src/model.onnx': 'ONNX',
  'src/first.ts': `${head}import { shared } from './shared'
import { packed } from 'pack'
export const first = remote({ name: 'first' }, async () => shared + packed)`,
  'src/second.ts': `${head}import { shared } from './shared'
export const second = remote({ name: 'second' }, async () => shared + new URL('./model.onnx', import.meta.url))`,
  'src/third.ts': `${head}import { second } from './second'
export const third = remote({ name: 'third', workers: 2 }, async () => second())`,
}

describe.each(['rolldown', 'rollup'] as BundleEngine[])('building again with %s', (engine) => {
  const create = (changed: Record<string, string> = {}) =>
    createWorkerProject({ ...files, ...changed }, { engine })

  test('makes only what something changed of', async () => {
    using project = await create()
    const again = async () => (await project.build()).rebuilt
    expect(await again()).toEqual(['first', 'second', 'third'])
    expect(await again()).toEqual([])

    project.write({ 'src/shared.ts': `export const shared = 'changed'` })
    expect(await again()).toEqual(['first', 'second'])
    expect(await project.call('first', 'first')).toBe('changedpacked')

    project.write({ 'src/model.onnx': 'OTHER' })
    expect(await again()).toEqual(['second'])

    project.write({ 'src/third.ts': files['src/third.ts'].replace('workers: 2', 'workers: 3') })
    expect(await again()).toEqual(['third'])

    project.write({
      'node_modules/pack/package.json': `{ "name": "pack", "version": "1.0.1", "main": "i.js" }`,
    })
    expect(await again()).toEqual(['first'])

    project.write({ 'src/unrelated.ts': `export const x = 1` })
    expect(await again()).toEqual([])
  })

  test('sees a parameter that a function of another endpoint got, a new file that an import now leads to, and settings', async () => {
    using project = await create({
      'tsconfig.json': `{ "compilerOptions": { "jsx": "react" } }`,
      'src/fourth.ts': `${head}import { third } from './third'
import { late } from './folder'
export const fourth = remote({ name: 'fourth' }, async () => [late, await third()])`,
      'src/folder/index.ts': `export const late = 'index'`,
    })
    await project.build()
    project.write({ 'src/folder.ts': `export const late = 'file'` })
    expect((await project.build()).rebuilt).toEqual(['fourth'])
    expect(project.read('fourth/main.mjs')).toContain('file')

    project.write({
      'src/second.ts': files['src/second.ts'].replace(`name: 'second'`, `name: 'other'`),
    })
    const { rebuilt, manifest } = await project.build()
    expect(rebuilt).toEqual(['other', 'third'])
    expect(manifest.endpoints.third!.calls).toEqual(['other'])

    project.write({ 'tsconfig.json': `{ "compilerOptions": { "jsx": "preserve" } }` })
    expect((await project.build()).rebuilt).toEqual(['first', 'fourth', 'other', 'third'])
  })

  test('takes away the folder of an endpoint that is gone, and puts back what somebody removed', async () => {
    using project = await create()
    await project.build()
    rmSync(project.path('.flash/build/second/main.mjs.map'))
    project.remove('src/first.ts')
    const { rebuilt, manifest } = await project.build()
    expect(rebuilt).toEqual([])
    expect(Object.keys(manifest.endpoints)).toEqual(['second', 'third'])
    expect(project.written().filter((file) => !file.includes('assets'))).toEqual([
      'flash_manifest.json',
      'second/main.mjs',
      'second/main.mjs.map',
      'second/package.json',
      'third/main.mjs',
      'third/main.mjs.map',
      'third/package.json',
    ])
    expect(project.manifest()).toEqual(manifest)
  })

  test('leaves nothing when it fails, and after the correction makes only what was wrong', async () => {
    using project = await create()
    await project.build()
    project.write({ '.flash/build/app.tar.gz': 'an archive', '.flash/build/notes.txt': 'not ours' })
    project.write({ 'src/second.ts': files['src/second.ts'].replace('./shared', './nowhere') })
    expect((await project.failures()).map(({ code }) => code)).toEqual(['IMPORT_NOT_FOUND'])
    expect(project.written()).toEqual(['notes.txt'])
    expect(project.builder.inputs()).toContain(project.path('src/second.ts'))

    project.write({ 'src/second.ts': files['src/second.ts'] })
    const { rebuilt } = await project.build()
    expect(rebuilt).toContain('second')
    expect(rebuilt).not.toContain('first')
    expect(await project.call('first', 'first')).toBe('sharedpacked')
    expect(existsSync(project.path('.flash/build/.tmp'))).toBe(false)
  })

  test('takes one build after the other, and begins by taking the manifest away', async () => {
    using project = await create()
    await project.scan()
    const builds = await Promise.all([project.builder.build(), project.builder.build()])
    expect(builds.map(({ rebuilt }) => rebuilt.length)).toEqual([3, 0])
    expect(project.manifest()).toEqual(builds[1]!.manifest)
    const running = project.builder.build()
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    await running
    expect(project.manifest()).toEqual(builds[1]!.manifest)
  })

  test('names every file that went in', async () => {
    using project = await create()
    await project.build()
    const inputs = project.builder.inputs()
    expect(inputs).toEqual([...inputs].sort())
    expect(inputs.filter((file) => !file.includes('unplugin-flash'))).toEqual(
      [
        'node_modules/pack/i.js',
        'node_modules/pack/package.json',
        'package.json',
        'src/first.ts',
        'src/model.onnx',
        'src/second.ts',
        'src/shared.ts',
        'src/third.ts',
      ].map(project.path),
    )
  })

  test('writes the same bytes in another folder, in an output folder of its own too', async () => {
    const one = await create()
    const other = await createWorkerProject(files, { engine })
    const elsewhere = join(other.root, 'a much longer name')
    mkdirSync(elsewhere)
    const moved = await createWorkerProject(files, { engine, outDir: join(elsewhere, 'out') })
    try {
      await one.build()
      await other.build()
      await moved.build()
      const contents = (folder: string, names: string[]) =>
        names.map((name) => [name, readFileSync(join(folder, name), 'base64')])
      const names = one.written()
      const expected = contents(one.path('.flash/build'), names)
      expect(contents(other.path('.flash/build'), other.written())).toEqual(expected)
      expect(contents(join(elsewhere, 'out'), names)).toEqual(expected)
      const texts = names.map((name) => readFileSync(one.path(`.flash/build/${name}`), 'utf8')).join('\n')
      expect(texts).not.toContain(one.root)
      expect(texts).not.toContain(process.cwd())
    } finally {
      for (const project of [one, other, moved]) project[Symbol.dispose]()
    }
  })

  test('a folder that the user gives keeps what is not of a build', async () => {
    using elsewhere = createTestProject({})
    const outDir = elsewhere.path('out')
    mkdirSync(join(outDir, 'mine'), { recursive: true })
    writeFileSync(join(outDir, 'mine/file.txt'), 'mine')
    using own = await createWorkerProject(files, { engine, outDir })
    await own.build()
    expect(existsSync(join(outDir, 'mine/file.txt'))).toBe(true)
    expect(existsSync(join(outDir, 'first/main.mjs'))).toBe(true)
  })
})
