import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findBareSuppressions, findBareTodos, findDeadCode } from './conventions/comments.ts'
import {
  findDeepImports,
  findEngineDifferences,
  findLooseVersions,
  findMissingPlatforms,
  findUnreleased,
  readManifests,
} from './conventions/dependencies.ts'
import { findEscapes, findFileCycles, findRoomCycles, findWrongLevels } from './conventions/rooms.ts'
import { readSources, type Source } from './conventions/source.ts'
import { findHeldTests, findMachinePaths, findMakingOf } from './conventions/words.ts'
import { repository } from './helpers/project.ts'

type Files = Record<string, string>

const read = (file: string) => readFileSync(join(repository, file), 'utf8')
const toSources = (files: Files): Source[] => Object.entries(files).map(([file, text]) => ({ file, text }))
const here = readSources(repository)

const own = new Map(readManifests(here).map(({ manifest }) => [manifest.name, manifest.exports]))
const exportsOf = (name: string) =>
  own.has(name) ? own.get(name) : JSON.parse(read(`node_modules/${name}/package.json`)).exports
const home = `/${['home', 'me', 'app'].join('/')}`

/** A rule, what breaks it with what is found then, and what looks alike and is fine. */
const rules: [string, (sources: Source[]) => string[], bad: [Files, string[]][], good: Files][] = [
  [
    'imports between rooms point to a lower level',
    findWrongLevels,
    [
      [
        { 'packages/protocol/src/a.ts': `import '@flash/runtime'` },
        ['packages/protocol/src/a.ts: protocol imports runtime'],
      ],
      [
        { 'packages/runtime/src/a.ts': `export * from '@flash/compiler'` },
        ['packages/runtime/src/a.ts: runtime imports compiler'],
      ],
      [
        { 'packages/dev/src/a.ts': `type A = import('@flash/sdk').A` },
        ['packages/dev/src/a.ts: dev imports sdk'],
      ],
      [
        { 'packages/dev/src/a.ts': `await import('@flash/worker/local')` },
        ['packages/dev/src/a.ts: dev imports worker'],
      ],
      [
        { 'packages/compiler/src/a.ts': `import 'unplugin-flash'` },
        ['packages/compiler/src/a.ts: compiler imports unplugin-flash'],
      ],
      [
        { 'packages/new/src/a.ts': `import '@flash/protocol'` },
        ['packages/new/src/a.ts: the room "new" has no level'],
      ],
      [{ 'worker/src/a.ts': `import '@flash/nothing'` }, ['worker/src/a.ts: "@flash/nothing" is no room']],
    ],
    {
      'packages/dev/src/a.ts': `import '@flash/server'\nconst text = "import '@flash/sdk'"`,
      'worker/src/b.ts': `import '@flash/emulator'\nimport 'unplugin'`,
    },
  ],
  [
    'rooms do not import each other in a circle',
    findRoomCycles,
    [
      [
        {
          'packages/a/src/x.ts': `import type { B } from '@flash/b'`,
          'packages/b/src/x.ts': `import '@flash/c'`,
          'packages/c/src/x.ts': `import '@flash/a/deep'`,
        },
        ['a → b → c → a'],
      ],
    ],
    {
      'packages/a/src/x.ts': `import '@flash/b'\nimport '@flash/c'`,
      'packages/b/src/x.ts': `import '@flash/c'`,
    },
  ],
  [
    'files do not import each other in a circle',
    findFileCycles,
    [
      [
        { 'a/x.ts': `import './y.ts'`, 'a/y.ts': `import type { X } from '../a/x.ts'` },
        ['a/x.ts → a/y.ts → a/x.ts'],
      ],
      [{ 'a/x.ts': `export * from './x.ts'` }, ['a/x.ts → a/x.ts']],
    ],
    { 'a/x.ts': `import './y.ts'\nimport './z.ts'`, 'a/y.ts': `import './z.ts'`, 'a/z.ts': '' },
  ],
  [
    'relative imports stay in their package',
    findEscapes,
    [
      [
        { 'packages/sdk/src/a.ts': `import '../../runtime/src/stub.ts'` },
        ['packages/sdk/src/a.ts: "../../runtime/src/stub.ts" leaves packages/sdk'],
      ],
      [{ 'test/a.ts': `import '../worker/src/a.ts'` }, ['test/a.ts: "../worker/src/a.ts" leaves the root']],
    ],
    {
      'packages/sdk/src/a.ts': `import '../tsdown.config.ts'`,
      'playground/x/__tests__/a.ts': `import '../../../test/a.ts'\nimport '../src/b.ts'`,
    },
  ],
  [
    'other packages are imported by what they export',
    (sources) => findDeepImports(sources, exportsOf),
    [
      [{ 'a.ts': `import '@flash/runtime/src/stub.ts'` }, ['a.ts: "@flash/runtime/src/stub.ts"']],
      [{ 'a.ts': `import 'vite/dist/node/index.js'` }, ['a.ts: "vite/dist/node/index.js"']],
      [{ 'a.ts': `import '../node_modules/vite/index.js'` }, ['a.ts: "../node_modules/vite/index.js"']],
    ],
    {
      'a.ts': `import 'vite/module-runner'\nimport 'node:fs/promises'\nimport 'virtual:flash/client'\nimport './b/c.ts'`,
    },
  ],
  [
    'a promise in a comment says where it is kept track of',
    findBareTodos,
    [
      [{ 'a.ts': `let a = 1 // TODO: later` }, ['a.ts:1: TODO without an issue']],
      [{ 'a.ts': `\n/**\n * FIXME(me) soon, TODO(#1) too\n */` }, ['a.ts:2: FIXME without an issue']],
    ],
    {
      'a.ts': `// TODO(#12): later\n// FIXME(https://example.com/issues/1)\nconst text = '// TODO'`,
      'b.md': 'TODO',
    },
  ],
  [
    'what switches a check off is for one line, and says why',
    findBareSuppressions,
    [
      [{ 'a.ts': `/* oxlint-disable */` }, ['a.ts:1: oxlint-disable']],
      [{ 'a.ts': `// oxlint-disable-next-line no-eval` }, ['a.ts:1: oxlint-disable-next-line no-eval']],
      [{ 'a.ts': `run() // @ts-ignore it is fine` }, ['a.ts:1: @ts-ignore it is fine']],
      [{ 'a.ts': `// @ts-expect-error` }, ['a.ts:1: @ts-expect-error']],
    ],
    {
      'a.ts': `// oxlint-disable-next-line a/no-b, c -- users may\n// @ts-expect-error the point of it\n/* v8 ignore start -- elsewhere */`,
    },
  ],
  [
    'code is deleted, not commented out',
    findDeadCode,
    [
      [{ 'a.ts': `// const a = 1` }, ['a.ts:1: const a = 1']],
      [{ 'a.ts': `/* send(a) */` }, ['a.ts:1: send(a)']],
      [{ 'a.ts': `run()\n// Not now:\n//   return a.value` }, ['a.ts:2: return a.value']],
      [{ 'a.ts': `// if (a) {\n//   b()\n// }` }, ['a.ts:1: if (a) {\n   b()\n }']],
      [{ 'a.ts': `// import { a } from './a.ts'` }, [`a.ts:1: import { a } from './a.ts'`]],
      [{ 'a.tsx': `const a = <p>{/* go(1) */}</p>` }, ['a.tsx:1: go(1)']],
      [{ 'a.ts': `// await stop();\n// x.y = 2` }, ['a.ts:1: await stop();\n x.y = 2']],
    ],
    {
      'a.ts': [
        '// return early (nothing is left)',
        '// let go of it',
        '// Note: a.b is `c = d()`.',
        '// f(x)’s answer, a → b',
        '/** `a = 1` */',
        '/**\n * ```ts\n * const a = b()\n * ```\n */',
        '// throw away, see index.ts',
        'const text = "// const a = 1"',
        '/* @__PURE__ */ f()',
      ].join('\nx()\n'),
    },
  ],
  [
    'tests run, all of them',
    findHeldTests,
    [
      [{ 'a.test.ts': `test.only('a', run)` }, ['a.test.ts:1: test.only']],
      [{ 'a.test.ts': `\ndescribe.concurrent.skip('a', run)` }, ['a.test.ts:2: describe.concurrent.skip']],
      [{ 'a.test.ts': `it.todo('a')` }, ['a.test.ts:1: it.todo']],
    ],
    { 'a.test.ts': `test('test.only', () => list.skip(1))` },
  ],
  [
    'no path of one machine',
    findMachinePaths,
    [
      [{ 'a.ts': `const at = '${home}'` }, [`a.ts:1: ${home.slice(0, -4)}`]],
      [{ 'a.md': `run it\nin ${home}` }, [`a.md:2: ${home.slice(0, -4)}`]],
    ],
    { 'a.ts': `const at = '/src/work/a.ts', page = 'https://a.test/home/me', tmp = '/tmp/x'` },
  ],
  [
    'how it was made is no part of what it is',
    findMakingOf,
    [
      [
        { 'a.ts': `run() // As the previous session did.` },
        ['a.ts:1: "previous session did" is a conversation'],
      ],
      [
        { 'a.md': 'Good.\nGenerated by an AI' },
        ['a.md:2: "Generated by an AI" is a tool it was written with'],
      ],
      [{ 'a.ts': `// Fulfils B-000-01.` }, ['a.ts:1: "B-000-01" is a row of a plan']],
      [{ 'a.ts': `/* see style.md */` }, ['a.ts:1: "style.md" is a working paper']],
    ],
    { 'a.ts': `// A session token, and the prompt of a model.`, 'b.ts': `const model = 'claude'` },
  ],
  [
    'dependencies are released versions',
    findLooseVersions,
    [
      [
        { 'package.json': `{ "dependencies": { "a": "github:a/a#main" } }` },
        ['package.json: a "github:a/a#main"'],
      ],
      [
        { 'package.json': `{ "devDependencies": { "a": "next", "b": "*" } }` },
        ['package.json: a "next"', 'package.json: b "*"'],
      ],
      [
        { 'x/package.json': `{ "peerDependencies": { "a": "1.0.0-beta.1" } }` },
        ['x/package.json: a "1.0.0-beta.1"'],
      ],
      [
        { 'x/package.json': `{ "optionalDependencies": { "a": "file:../a" } }` },
        ['x/package.json: a "file:../a"'],
      ],
    ],
    {
      'package.json': `{ "name": "a", "dependencies": { "a": "*", "b": "1.2.3", "c": "^1.2.3", "d": ">=8.2.2" } }`,
    },
  ],
  [
    'one answer to which Node is needed',
    findEngineDifferences,
    [
      [
        {
          'package.json': `{ "engines": { "node": ">=22" } }`,
          'x/package.json': `{ "engines": { "node": ">=20" } }`,
        },
        ['x/package.json: ">=20"'],
      ],
    ],
    { 'package.json': `{ "engines": { "node": ">=22" } }`, 'x/package.json': '{}' },
  ],
]

describe.each(rules)('%s', (_, find, bad, good) => {
  test('here', () => expect(find(here)).toEqual([]))
  test('where it is broken', () => {
    for (const [files, findings] of bad) expect(find(toSources(files))).toEqual(findings)
  })
  test('where something looks alike', () => expect(find(toSources(good))).toEqual([]))
})

describe('the lockfile names released versions and no addresses', () => {
  test('here', () => expect(findUnreleased(JSON.parse(read('package-lock.json')))).toEqual([]))

  test('where it is broken', () => {
    const packages = {
      'packages/a': { version: '0.0.0' },
      'node_modules/a': { resolved: 'packages/a', link: true },
      'node_modules/b': { version: '1.2.3' },
      'node_modules/c': { version: '1.0.0', resolved: 'git+ssh://git@example.com/c.git#1234567' },
      'node_modules/d': { version: '1.0.0', resolved: 'https://registry.example.com/d/-/d-1.0.0.tgz' },
      'node_modules/e': { version: 'main' },
      'node_modules/f': { resolved: 'file:../f', link: true },
    }
    expect(findUnreleased({ packages }).map((finding) => finding.split(': ')[0])).toEqual([
      'node_modules/c',
      'node_modules/d',
      'node_modules/e',
      'node_modules/f',
    ])
  })
})

describe('the lockfile installs everywhere', () => {
  test('here', () => expect(findMissingPlatforms(JSON.parse(read('package-lock.json')))).toEqual([]))

  test('where it is broken', () => {
    const optionalDependencies = { '@a/linux': '1.0.0', '@a/darwin': '1.0.0', fsevents: '1.0.0' }
    const packages = {
      'node_modules/a': { version: '1.0.0', optionalDependencies },
      'node_modules/a/node_modules/@a/linux': { version: '1.0.0' },
      'node_modules/fsevents': { version: '1.0.0' },
      'packages/b/node_modules/@a/darwin': { version: '1.0.0' },
      'packages/b/node_modules/a': { version: '1.0.0', optionalDependencies },
    }
    expect(findMissingPlatforms({ packages })).toEqual([
      'node_modules/a: @a/darwin',
      'packages/b/node_modules/a: @a/linux',
    ])
  })
})

test('the package is built for the oldest Node that it says it runs on', () => {
  const { engines } = JSON.parse(read('packages/unplugin-flash/package.json'))
  const [, oldest] = /^\^(\d+\.\d+)\b/.exec(engines.node) ?? []
  expect(read('packages/unplugin-flash/tsdown.config.ts')).toContain(`target: 'node${oldest}'`)
})

describe('the linter refuses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flash-lint-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const lint = (files: Files) => {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
    const paths = Object.keys(files).map((file) => join(folder, file))
    const options = ['-c', join(repository, '.oxlintrc.json'), '--format', 'unix', '--import-plugin']
    return spawnSync(join(repository, 'node_modules/.bin/oxlint'), [...options, ...paths], {
      encoding: 'utf8',
    })
  }
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `  console.log(${i})\n`).join('')
  const ifs = (count: number) =>
    Array.from({ length: count }, (_, i) => `  if (n === ${i}) return ${i}\n`).join('')

  for (const [what, files, rule] of [
    [
      'a function of 51 lines',
      { 'long.ts': `export function f() {\n${lines(49)}}\n` },
      'max-lines-per-function',
    ],
    [
      'a function with 11 ways through',
      { 'ways.ts': `export function f(n: number) {\n${ifs(10)}  return -1\n}\n` },
      'complexity',
    ],
    [
      'files that import each other',
      {
        'one.ts': `import { b } from './other.ts'\nexport const a = () => b\n`,
        'other.ts': `import { a } from './one.ts'\nexport const b = () => a\n`,
      },
      'no-cycle',
    ],
    [
      'what is only suspicious',
      { 'odd.ts': `export class Odd {\n  static a = 1\n}\n` },
      'no-extraneous-class',
    ],
  ] as [string, Files, string][]) {
    test(what, () => {
      const { status, stdout } = lint(files)
      expect(stdout).toContain(rule)
      expect(status).toBe(1)
    })
  }

  test('nothing else', () => {
    const { status, stdout } = lint({
      'short.ts': `export function f() {\n${lines(48)}}\n`,
      'few.ts': `export function f(n: number) {\n${ifs(9)}  return -1\n}\n`,
    })
    expect([status, stdout]).toEqual([0, expect.any(String)])
  })
})
