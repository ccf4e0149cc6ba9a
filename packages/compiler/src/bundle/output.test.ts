import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFolder, type Folder } from './folder.ts'
import { createOutput, type Output } from './output.ts'

let root = ''
let outDir = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flash-output-'))
  outDir = join(root, '.flash/build')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const path = (file: string) => join(outDir, file)
const read = (file: string) => readFileSync(path(file), 'utf8')
const write = (file: string, text = file) => {
  mkdirSync(dirname(path(file)), { recursive: true })
  writeFileSync(path(file), text)
}
const entries = () => (existsSync(outDir) ? readdirSync(outDir).sort() : null)
const toFolder = (main: string) => createFolder({ main, map: Buffer.from('{}'), packageFile: '{}' }, [])

/** A build whose endpoints have the given text as their code. */
async function commit(output: Output, mains: Record<string, string>, made = new Map<string, Folder>()) {
  await output.begin()
  for (const [name, main] of Object.entries(mains)) if (!made.has(name)) made.set(name, await toFolder(main))
  await output.commit(made, JSON.stringify({ endpoints: mains }))
  return made
}

describe('what a build removes', () => {
  test('folders that the build before named and this one does not, in another process too', async () => {
    await commit(createOutput(outDir), { old: 'old', same: 'one' })
    write('mine/main.mjs')
    await commit(createOutput(outDir), { same: 'two', young: 'two' })
    expect(entries()).toEqual(['flash_manifest.json', 'mine', 'same', 'young'])
    expect(read('same/main.mjs')).toBe('two')
  })

  test('those of a build that was ended before its end', async () => {
    await commit(createOutput(outDir), { old: 'old', same: 'one' })
    await createOutput(outDir).begin()
    expect(entries()).not.toContain('flash_manifest.json')
    await commit(createOutput(outDir), { same: 'two' })
    expect(entries()).toEqual(['flash_manifest.json', 'same'])

    await createOutput(outDir).begin()
    const failing = createOutput(outDir)
    await failing.begin()
    await failing.clear()
    expect(entries()).toEqual([])
  })

  test('nothing outside, whatever names a manifest has', async () => {
    write('../kept/main.mjs')
    write('mine/main.mjs')
    for (const text of [
      JSON.stringify({ endpoints: { '../kept': {}, '../../.flash': {}, '.': {}, '': {}, 'mine/': {} } }),
      '{ "endpoints": ["mine"] }',
      '{ "endpoints": null }',
      'null',
      'no JSON',
    ]) {
      write('flash_manifest.json', text)
      const output = createOutput(outDir)
      await output.begin()
      await output.clear()
      expect(entries()).toEqual(['mine'])
      expect(read('../kept/main.mjs')).toBe('../kept/main.mjs')
    }
  })

  test('when it fails: the manifest, the archive and its folders, and nothing of anybody else', async () => {
    await commit(createOutput(outDir), { one: 'one' })
    write('app.tar.gz')
    write('mine/main.mjs')
    write('notes.txt')
    await createOutput(outDir).clear()
    expect(entries()).toEqual(['mine', 'notes.txt'])
  })

  test('nothing, and makes no folder, where none is', async () => {
    const output = createOutput(outDir)
    await output.begin()
    await output.clear()
    expect(entries()).toBeNull()
  })

  test('inside the folder that a link leads to', async () => {
    const real = join(root, 'real')
    mkdirSync(join(real, 'mine'), { recursive: true })
    writeFileSync(join(real, 'mine/main.mjs'), 'mine')
    mkdirSync(dirname(outDir))
    symlinkSync(real, outDir, 'junction')
    const output = createOutput(outDir)
    await commit(output, { one: 'one' })
    expect(readdirSync(real).sort()).toEqual(['flash_manifest.json', 'mine', 'one'])
    await output.clear()
    expect(readdirSync(real)).toEqual(['mine'])
    expect(read('mine/main.mjs')).toBe('mine')
  })

  test('what a process that is gone was about to write, and nothing of one that lives', async () => {
    const broken = { ...(await toFolder('x')) }
    broken.files = [...broken.files, { path: 'asset', bytes: 1, hash: '', from: path('nowhere') }]
    const living = createOutput(outDir)
    await expect(living.commit(new Map([['one', broken]]), '{}')).rejects.toMatchObject({ code: 'ENOENT' })
    const staged = entries()!
    expect(staged).toEqual([expect.stringMatching(/^\.tmp-/)])

    const script = `
      import { createOutput } from ${JSON.stringify(join(import.meta.dirname, 'output.ts'))}
      const files = [{ path: 'main.mjs', bytes: 1, hash: '', content: Buffer.from('x') }, { path: 'a', from: '/nowhere/at/all' }]
      await createOutput(${JSON.stringify(outDir)}).commit(new Map([['two', { files }]]), '{}').catch((error) => console.log(error.code))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script])
    expect(String(stdout)).toBe('ENOENT\n')
    expect(entries()).toHaveLength(2)
    await createOutput(outDir).begin()
    expect(entries()).toEqual(staged)
    await living.clear()
    expect(entries()).toEqual([])
  })
})

describe('two builds at once', () => {
  test('what another finished since this one was made stays, whether this one begins before or after', async () => {
    await commit(createOutput(outDir), { old: 'old' })
    const [early, late] = [createOutput(outDir), createOutput(outDir)]
    await early.begin()
    await commit(createOutput(outDir), { one: 'one' })
    await early.clear()
    await late.begin()
    expect(entries()).toEqual(['flash_manifest.json', 'one'])
    await late.clear()
    expect(entries()).toEqual(['flash_manifest.json', 'one'])
    expect(read('one/main.mjs')).toBe('one')
  })

  test('the same manifest, written again by another, is the other’s', async () => {
    const output = createOutput(outDir)
    await commit(output, { one: 'one' })
    await commit(createOutput(outDir), { one: 'one' })
    await output.clear()
    expect(entries()).toEqual(['flash_manifest.json', 'one'])
  })

  test('what the first kept in memory is written again where the second put its own, of the same size', async () => {
    const first = createOutput(outDir)
    const made = await commit(first, { one: 'from the 1st', two: 'from the 1st' })
    await commit(createOutput(outDir), { one: 'from the 2nd', three: 'from the 2nd' })
    await commit(first, { one: 'from the 1st', two: 'from the 1st' }, made)
    expect(entries()).toEqual(['flash_manifest.json', 'one', 'two'])
    expect([read('one/main.mjs'), read('two/main.mjs')]).toEqual(['from the 1st', 'from the 1st'])
  })

  test('one that fails while another is at work takes only what was there before', async () => {
    const working = createOutput(outDir)
    const made = await commit(working, { one: 'one', two: 'two' })
    await working.begin()
    const failing = createOutput(outDir)
    await failing.begin()
    await failing.clear()
    expect(entries()).toEqual([])
    await working.commit(made, '{}')
    expect(entries()).toEqual(['flash_manifest.json', 'one', 'two'])
  })

  test('all that is put in place belongs to one of them', async () => {
    const letters = ['a', 'b', 'c', 'd', 'e']
    const names = ['one', 'two', 'three']
    const results = letters.map((letter) =>
      commit(createOutput(outDir), Object.fromEntries(names.map((name) => [name, letter]))),
    )
    await Promise.all(results)
    const mains = names.map((name) => read(`${name}/main.mjs`))
    expect(JSON.parse(read('flash_manifest.json')).endpoints).toEqual(
      Object.fromEntries(names.map((name) => [name, mains[0]])),
    )
    expect(new Set(mains).size).toBe(1)
    expect(entries()).toEqual(['flash_manifest.json', 'one', 'three', 'two'])
  })

  test('one that fails while it puts its folders in place leaves no mixture', async () => {
    await commit(createOutput(outDir), { one: 'one', two: 'two' })
    const output = createOutput(outDir)
    await output.begin()
    const made = new Map([
      ['one', await toFolder('new')],
      ['n/o/n/e', await toFolder('new')],
    ])
    await expect(output.commit(made, '{}')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(entries()).not.toContain('flash_manifest.json')
    await output.clear()
    expect(entries()).toEqual([])
  })
})

test('only folders that differ are written, and one with a file that is missing or was changed', async () => {
  const output = createOutput(outDir)
  const mains = { one: 'one', two: 'two', three: 'three' }
  const made = await commit(output, mains)
  write('one/extra')
  write('two/extra')
  write('three/extra')
  renameSync(path('two/main.mjs.map'), path('two/else.map'))
  write('three/main.mjs', 'THREE')
  await commit(output, mains, made)
  expect(['one', 'two', 'three'].map((name) => existsSync(path(`${name}/extra`)))).toEqual([
    true,
    false,
    false,
  ])
  expect(read('three/main.mjs')).toBe('three')
})
