import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseManifest } from '@flash/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWorkerProject } from '../testing/workers.ts'

let folder = ''
let outDir = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flash-parallel-'))
  outDir = join(folder, 'out')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const names = ['one', 'two', 'three']

/** Sources of one size, whatever the letter. */
const filesOf = (letter: string) =>
  Object.fromEntries(
    names.map((name) => [
      `src/${name}.ts`,
      `import { remote } from 'unplugin-flash'\nexport const run = remote({ name: '${name}' }, async () => 'letter ${letter}')`,
    ]),
  )

const broken = {
  'src/one.ts': `import { remote } from 'unplugin-flash'\nimport { lost } from './nowhere'\nexport const run = remote({ name: 'one' }, async () => lost)`,
}

const create = (letter: string) => createWorkerProject(filesOf(letter), { outDir })

/** Which letter each bundle has, after comparing every file with what the manifest says of it. */
function readBuild(): string[] {
  const { endpoints } = parseManifest(readFileSync(join(outDir, 'flash_manifest.json'), 'utf8'), 'it')
  expect(readdirSync(outDir).sort()).toEqual([...Object.keys(endpoints), 'flash_manifest.json'].sort())
  return Object.entries(endpoints).map(([name, { bundle }]) => {
    for (const { path, hash } of bundle.files) {
      const content = readFileSync(join(outDir, name, path))
      expect(createHash('sha256').update(content).digest('hex'), path).toBe(hash)
    }
    return /letter (\w)/.exec(readFileSync(join(outDir, name, 'main.mjs'), 'utf8'))![1]!
  })
}

test('five processes build to one folder at once, and the result is that of one', async () => {
  const program = (letter: string) => `
    import { createWorkerProject } from ${JSON.stringify(join(import.meta.dirname, '../testing/workers.ts'))}
    const project = await createWorkerProject(${JSON.stringify(filesOf(letter))}, { outDir: ${JSON.stringify(outDir)} })
    const { rebuilt } = await project.build()
    project[Symbol.dispose]()
    console.log(rebuilt.length)`
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((letter) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program(letter)]),
    ),
  )
  for (const result of results)
    expect(result).toMatchObject({ status: 'fulfilled', value: { stdout: '3\n' } })
  expect(new Set(readBuild()).size).toBe(1)
})

test('a build that fails leaves what another finished meanwhile, and takes what was there when it began', async () => {
  using early = await create('a')
  using other = await create('b')
  await early.build()
  early.write(broken)
  await other.build()
  expect((await early.failures()).map(({ code }) => code)).toEqual(['IMPORT_NOT_FOUND'])
  await early.builder.clear()
  expect(readBuild()).toEqual(['b', 'b', 'b'])

  early.write(filesOf('a'))
  expect((await early.build()).rebuilt).toEqual(['one'])
  expect(readBuild()).toEqual(['a', 'a', 'a'])

  using late = await createWorkerProject(broken, { outDir })
  await late.failures()
  expect(readdirSync(outDir)).toEqual([])
})

test('one fails while another builds, which finishes', async () => {
  using failing = await create('a')
  using other = await create('b')
  await other.build()
  failing.write(broken)
  await Promise.all([failing.failures(), other.build(), failing.failures(), other.build()])
  expect(readBuild()).toEqual(['b', 'b', 'b'])
})

test('a folder of the project’s own with a `main.mjs` stays, also where `.flash/build` is a link', async () => {
  using project = await createWorkerProject(filesOf('a'))
  outDir = join(folder, 'real')
  mkdirSync(join(outDir, 'mine'), { recursive: true })
  writeFileSync(join(outDir, 'mine/main.mjs'), 'mine')
  mkdirSync(project.path('.flash'))
  symlinkSync(outDir, project.path('.flash/build'), 'junction')
  await project.build()
  project.remove('src/three.ts')
  await project.build()
  expect(readdirSync(outDir).sort()).toEqual(['flash_manifest.json', 'mine', 'one', 'two'])

  project.write(broken)
  await project.failures()
  expect(readdirSync(outDir)).toEqual(['mine'])
  expect(readdirSync(join(outDir, 'mine'))).toEqual(['main.mjs'])
  expect(existsSync(project.path('.flash/build/mine'))).toBe(true)
})
