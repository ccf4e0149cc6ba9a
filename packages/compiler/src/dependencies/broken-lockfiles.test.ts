import * as fc from 'fast-check'
import { AppError } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { createTestProject } from '../testing/project.ts'
import { parseBunLock } from './bun-lock.ts'
import { findLockfile, readLockfile } from './lockfile.ts'
import { parseNpmLock } from './npm-lock.ts'
import { createPlaces } from './place.ts'
import { parsePnpmLock } from './pnpm-lock.ts'
import { createTestLockfile, readSample, type Sample, samples, shop } from './testing.ts'
import type { Lockfile, Manager } from './types.ts'
import { parseYarnLock } from './yarn-lock.ts'

async function refusalOf(name: string, text: string): Promise<AppError> {
  using project = createTestProject({ [name]: text })
  const found = await findLockfile(project.root, project.root)
  const error = await readLockfile(found!, project.root).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code: 'LOCKFILE_INVALID', hint: expect.stringMatching(/run `/) })
  return error as AppError
}

describe('a lockfile that cannot be used is refused at its place', () => {
  const conflict = '<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n'
  for (const [what, name, text, at, message] of [
    ['a wrong character', 'package-lock.json', '{\n  "a": !\n}', [2, 8], /cannot be read: Unexpected token/],
    [
      'a wrong character far in',
      'package-lock.json',
      `{\n${'  "x": "some text",\n'.repeat(9)}  "a": [1, 2, oops]\n}`,
      [11, 15],
      /Unexpected token 'o'$/,
    ],
    ['an early end', 'package-lock.json', '{\n  "a": {\n', [3, 1], /cannot be read/],
    ['a merge conflict', 'package-lock.json', `{\n${conflict}}`, [2, 1], /marks of a merge conflict/],
    ['of npm 6', 'package-lock.json', '{ "lockfileVersion": 1, "dependencies": {} }', [1, 1], /npm 6/],
    ['a list', 'npm-shrinkwrap.json', '[]', [1, 1], /no `packages`/],
    ['not YAML', 'pnpm-lock.yaml', 'lockfileVersion: 9\na: [\n', [3, 1], /cannot be read/],
    ['a merge conflict', 'pnpm-lock.yaml', `lockfileVersion: 9\n${conflict}`, [2, 1], /merge conflict/],
    ['of pnpm 2', 'pnpm-lock.yaml', 'lockfileVersion: 5.1\n', [1, 1], /pnpm 6 or later/],
    ['empty', 'pnpm-lock.yaml', '\n', [1, 1], /pnpm 6 or later/],
    [
      'an unknown mark',
      'yarn.lock',
      '# yarn lockfile v1\n\na@1:\n  version [1]\n',
      [4, 11],
      /cannot be read/,
    ],
    ['not YAML', 'yarn.lock', '__metadata:\n\tversion: 6\n', [2, 1], /cannot be read/],
    ['something else', 'yarn.lock', 'a: 1\n', [1, 1], /none that Yarn has written/],
    ['a wrong character', 'bun.lock', '{ "packages": { "a": [x] } }', [1, 23], /cannot be read/],
    ['of something else', 'bun.lock', '{}', [1, 1], /no `packages`/],
  ] as const) {
    test(`${name}: ${what}`, async () => {
      const error = await refusalOf(name, text)
      expect(error.at).toEqual({ file: name, line: at[0], column: at[1] })
      expect(error.message).toMatch(message)
      expect(error.message).toContain(`${name}:${at[0]}:${at[1]}`)
      expect(error.frame).toContain('> ')
    })
  }

  test('bun.lockb, which is binary', async () => {
    const error = await refusalOf('bun.lockb', '\0')
    expect(error.hint).toContain('--save-text-lockfile')
  })

  test('a file that cannot be opened', async () => {
    using project = createTestProject({ 'package-lock.json/is-a-folder': '' })
    const found = await findLockfile(project.root, project.root)
    await expect(readLockfile(found!, project.root)).rejects.toMatchObject({ code: 'LOCKFILE_INVALID' })
  })
})

test('a lockfile is read again when it changed, and once until then', async () => {
  const text = (version: string) =>
    `{ "packages": { "node_modules/a": { "version": "${version}", "resolved": "https://x/a.tgz" } } }`
  using project = createTestProject({ 'package-lock.json': text('1.0.0') })
  const found = await findLockfile(project.root, project.root)
  const read = async () => readLockfile(found!, project.root)
  const first = await read()
  expect(await read()).toBe(first)
  project.write({ 'package-lock.json': `${text('2.0.0')}\n` })
  const place = createPlaces(project.root).root
  expect((await read()).find('a', place)?.version).toBe('2.0.0')
  expect(first.find('a', place)?.version).toBe('1.0.0')
})

test('odd entries are passed over', async () => {
  for (const [name, text] of [
    [
      'package-lock.json',
      '{ "packages": { "node_modules/a": 1, "node_modules/b": { "version": 5, "os": 3 } } }',
    ],
    [
      'pnpm-lock.yaml',
      "lockfileVersion: '9.0'\nimporters: x\npackages:\n  a@1.0.0: 1\n  b: {}\n  'x': { os: {} }\n",
    ],
    ['yarn.lock', '__metadata: {}\na: {}\n"b@npm:1": text\n"c@npm:1": {}\n'],
    ['yarn.lock', ''],
    ['bun.lock', '{ "packages": { "a": 1, "b": [], "c": [5], "d": ["d"], "e": ["e@"] }, "workspaces": [] }'],
  ] as const) {
    using project = await createTestLockfile(name, text)
    for (const wanted of ['a', 'b', 'c', 'd', 'e', 'x'])
      expect(project.lockfile.find(wanted, project.place('a.ts'))?.version ?? null).toBeNull()
  }
})

test('names of objects’ own members are names like any other', async () => {
  const locks = [
    [
      'package-lock.json',
      '{"packages":{"__proto__":{"version":"9.9.9"},"node_modules/__proto__":{"version":"1.0.0"}}}',
    ],
    ['pnpm-lock.yaml', "lockfileVersion: '9.0'\nimporters: { .: { dependencies: { __proto__: 1.0.0 } } }\n"],
    ['yarn.lock', '# yarn lockfile v1\n\n__proto__@1:\n  version "1.0.0"\n\n__proto__:\n  version "2.0.0"\n'],
    [
      'yarn.lock',
      '__metadata: {}\n__proto__: { version: 9.9.9 }\n"__proto__@npm:1": { version: 1.0.0, resolution: "__proto__@npm:1.0.0" }\n',
    ],
    ['bun.lock', '{"packages":{"__proto__":["__proto__@1.0.0","",{"__proto__":{"os":"linux"}}]}}'],
  ] as const
  for (const [name, text] of locks) {
    const files = { 'package.json': '{ "name": "app", "dependencies": { "__proto__": "1" } }' }
    using project = await createTestLockfile(name, text, files)
    expect(project.lockfile.find('__proto__', project.place('a.ts'))).toMatchObject({
      version: '1.0.0',
      os: [],
    })
    expect(project.lockfile.find('version', project.place('a.ts'))).toBeNull()
    expect(({} as { version?: string }).version).toBeUndefined()
  }
})

describe('whatever is done to a lockfile, it is read or refused', () => {
  const parsers: Record<Manager, (text: string) => Lockfile | Promise<Lockfile>> = {
    npm: (text) => parseNpmLock({ text, shown: 'lock', manager: 'npm' }, '/shop'),
    pnpm: (text) => parsePnpmLock({ text, shown: 'lock', manager: 'pnpm' }, '/shop'),
    yarn: (text) => parseYarnLock({ text, shown: 'lock', manager: 'yarn' }, '/shop'),
    bun: (text) => parseBunLock({ text, shown: 'lock', manager: 'bun' }, '/shop'),
  }
  using project = createTestProject(shop)
  const places = createPlaces(project.root)
  const wanted = [
    places.root,
    places.of(project.path('packages/web/a.ts')),
    places.of('/shop/node_modules/debug/a.js'),
  ]
  const names = ['debug', 'ms', '@shop/lib', 'small', '__proto__', 'toString', '../..', '']

  async function use(manager: Manager, text: string) {
    try {
      const lockfile = await parsers[manager](text)
      for (const name of names) {
        lockfile.all(name)
        for (const place of wanted) lockfile.find(name, place)
      }
      lockfile.isMember('/shop/packages/web')
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
      expect((error as AppError).code).toBe('LOCKFILE_INVALID')
      const { line, column } = (error as AppError).at!
      expect([line > 0, column > 0]).toEqual([true, true])
    }
  }

  const odd = fc.constantFrom(
    ...'\0"\\{}[],:\n\t@/(_\u{1F600}\uFEFF',
    ...'| __proto__| null| 1e999| *a| &a| !!js/function| <<: *a| ---\n| ? | # yarn lockfile v1\n'.split('| '),
  )
  for (const sample of Object.keys(samples) as Sample[]) {
    const manager = sample.replace(/-.*/, '') as Manager
    const text = readSample(sample).slice(0, 3_000)
    test(sample, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(text.length), fc.nat(40), odd), { minLength: 1, maxLength: 5 }),
          async (edits) => {
            let edited = text
            for (const [at, removed, added] of edits)
              edited = edited.slice(0, at) + added + edited.slice(at + removed)
            await use(manager, edited)
          },
        ),
        { numRuns: 150 },
      ),
    )
  }

  test('text that was never a lockfile', () =>
    fc.assert(fc.asyncProperty(fc.constantFrom<Manager>('npm', 'pnpm', 'yarn', 'bun'), fc.string(), use), {
      numRuns: 300,
    }))

  test('values of any shape', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom<Manager>('npm', 'pnpm', 'yarn', 'bun'), fc.json(), (manager, json) =>
        use(
          manager,
          `{"packages":{"node_modules/a":${json},"debug":${json}},"lockfileVersion":"9.0","__metadata":${json},"importers":{".":${json}},"snapshots":${json},"workspaces":{"a":${json}}}`,
        ),
      ),
      { numRuns: 300 },
    ))

  test('what is made to take long', async () => {
    const letters = [...'abcdefghij']
    const bomb = letters
      .map(
        (letter, index) =>
          `${letter}: &${letter} [${Array(9)
            .fill(index ? `*${letters[index - 1]}` : 'x')
            .join(',')}]`,
      )
      .join('\n')
    const deep = '['.repeat(50_000)
    const names = `"${'a/'.repeat(50_000)}"`
    const started = performance.now()
    for (const manager of Object.keys(parsers) as Manager[]) {
      await use(manager, `lockfileVersion: '9.0'\n__metadata: {}\n${bomb}\npackages: *j\nimporters: *j\n`)
      for (const start of ['', '# yarn lockfile v1\n', '{"packages":'] as const)
        await use(manager, start + deep)
      await use(manager, `{"packages":{${names}:["a@1.0.0"]},"lockfileVersion":"9.0","__metadata":1}`)
      await use(manager, `{"packages":{"${'1.1.1_@'.repeat(10_000)}":{}},"lockfileVersion":"9.0"}`)
      await use(manager, `{"a":"${'\\"'.repeat(50_000)}`)
    }
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
