import { truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createWorkerProject, type WorkerProjectOptions } from '../testing/workers.ts'
import type { BundleEngine } from './options.ts'

const head = `import { remote } from 'unplugin-flash'\n`

const one = (body: string, before = '') =>
  `${head}${before}\nexport const run = remote({ name: 'one' }, async () => ${body})\n`

describe.each(['rolldown', 'rollup'] as BundleEngine[])('what a build with %s refuses', (engine) => {
  /** Code, message and place of everything that is wrong. */
  async function failuresOf(files: Record<string, string>, options: WorkerProjectOptions = {}) {
    using project = await createWorkerProject(files, { engine, ...options })
    const failures = await project.failures()
    expect(project.written()).toEqual([])
    return failures.map(({ code, message, hint, at, frame }) => {
      expect(hint).toBeTruthy()
      if (at) expect(frame).toContain('^')
      return [code, message, at && `${at.file}:${at.line}:${at.column}`]
    })
  }

  for (const [what, files, expected] of [
    [
      'a helper that cannot be parsed, at its place and once for all endpoints',
      {
        'src/helper.ts': `const fine = 1\nexport const x: = 2`,
        'src/a.ts': one('x', `import { x } from './helper'`),
        'src/b.ts': `${head}import { x } from './helper'\nexport const two = remote({ name: 'two' }, async () => x)`,
      },
      [['SYNTAX_ERROR', 'Unexpected token', 'src/helper.ts:2:17']],
    ],
    [
      'a file that is not there, in the file that imports it',
      { 'src/a.ts': one('x', `// from './gone'\nimport x from './gone'`) },
      [['IMPORT_NOT_FOUND', 'src/a.ts imports "./gone", which cannot be found', 'src/a.ts:3:15']],
    ],
    [
      'a dynamic import, a required file and a re-export that lead nowhere, all of them',
      {
        'src/barrel.ts': `export { y } from './nowhere'`,
        'src/required.ts': `declare const require: any\nexport const z = () => require('./nothing')`,
        'src/a.ts': one(
          `[await import('./lost'), y, z()]`,
          `import { y } from './barrel'\nimport { z } from './required'`,
        ),
      },
      [
        ['IMPORT_NOT_FOUND', 'src/a.ts imports "./lost", which cannot be found', 'src/a.ts:4:70'],
        [
          'IMPORT_NOT_FOUND',
          'src/barrel.ts imports "./nowhere", which cannot be found',
          'src/barrel.ts:1:19',
        ],
        [
          'IMPORT_NOT_FOUND',
          'src/required.ts imports "./nothing", which cannot be found',
          'src/required.ts:2:24',
        ],
      ],
    ],
    [
      'a name that the other module does not export',
      {
        'src/helper.ts': `export const x = 1`,
        'src/a.ts': one('y', `import { y } from './helper'`),
      },
      [['MODULE_FAILED', expect.stringMatching(/^"y" is not exported by "src\/helper.ts"/), 'src/a.ts:2:10']],
    ],
    [
      'broken JSON',
      { 'src/data.json': '{ "b": 1,\n  "a": }', 'src/a.ts': one('data', `import data from './data.json'`) },
      [['SYNTAX_ERROR', expect.stringMatching(/^src\/data.json is no JSON: /), 'src/data.json:2:8']],
    ],
    [
      'imports by pattern and by a name that is computed, where they are still in the code',
      {
        'src/locales/en.ts': `export default 'en'`,
        'src/page.ts': `export const unused = () => import.meta.glob('./pages/*.ts')\nexport const used = 1`,
        'src/a.ts': one(
          `[used, import.meta.glob('./locales/*.ts'), (await import(\`./locales/\${used}.ts\`)).default]`,
          `import { used } from './page'\ndeclare global { interface ImportMeta { glob(pattern: string): unknown } }`,
        ),
      },
      [
        [
          'IMPORT_NOT_STATIC',
          'src/a.ts imports a file whose name is only known when it runs, and a worker bundle has only what was named when it was made',
          'src/a.ts:4:106',
        ],
        [
          'IMPORT_NOT_STATIC',
          'src/a.ts imports files by a pattern, and a worker bundle has only what was named when it was made',
          'src/a.ts:4:63',
        ],
      ],
    ],
    [
      'a native file of the project',
      { 'src/addon.node': 'NATIVE', 'src/a.ts': one('addon', `import addon from './addon.node'`) },
      [['MODULE_FAILED', 'src/addon.node is native code, which cannot go into a bundle', undefined]],
    ],
    [
      'a file that is no code, without a plugin for it',
      { 'src/data.yaml': 'a: [', 'src/a.ts': one('data', `import data from './data.yaml'`) },
      [['SYNTAX_ERROR', expect.any(String), expect.stringMatching(/^src\/data\.yaml:1/)]],
    ],
  ] as [string, Record<string, string>, unknown[]][]) {
    test(what, async () => {
      const failures = await failuresOf(files)
      expect(failures.sort((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(expected)
    })
  }

  for (const specifier of ['virtual:routes', '$app/stores', '#imports', 'astro:content', '~/components']) {
    test(`"${specifier}", which looks like a module of a framework, with the way out`, async () => {
      using project = await createWorkerProject(
        { 'src/a.ts': one('x', `import x from '${specifier}'`) },
        { engine },
      )
      const [failure] = await project.failures()
      expect(failure).toMatchObject({ code: 'IMPORT_NOT_FOUND', at: { file: 'src/a.ts', line: 2 } })
      expect(failure!.hint).toContain('add its plugin to the worker build')
    })
  }

  test('everything that is wrong in all endpoints, in one error', async () => {
    using project = await createWorkerProject(
      {
        'src/a.ts': one('x', `import x from './gone'`),
        'src/b.ts': `${head}export const two = remote({ name: 'two', gpu: 'nothing' as any }, async () => 1)`,
        'src/c.ts': `${head}import y from 'not-declared'\nexport const three = remote({ name: 'three' }, async () => y)`,
        'src/d.ts': `${head}export const four = remote({ name: 'four', workers: -1 }, async () => 1)`,
      },
      { engine },
    )
    await project.scan()
    const error = await project.builder.build().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AggregateError)
    const { errors, message } = error as AggregateError
    expect(errors.map(({ code }) => code).sort()).toEqual([
      'BAD_CONFIG',
      'DEPENDENCY_NOT_DECLARED',
      'IMPORT_NOT_FOUND',
    ])
    expect(message).toMatch(/\(and 2 more\)$/)
  })

  test('more than the limit, with the largest parts, before anything is copied', async () => {
    using project = await createWorkerProject(
      {
        'src/a.ts': one(
          `[big, huge, text]`,
          `import text from './text.txt?raw'
const big = new URL('./big.bin', import.meta.url)
const huge = new URL('./huge.bin', import.meta.url)`,
        ),
        'src/text.txt': 'x'.repeat(30_000),
        'src/big.bin': 'x'.repeat(50_000),
        ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`src/many${index}.ts`, `export {}`])),
      },
      { engine, limitBytes: 1_000_000 },
    )
    writeFileSync(project.path('src/huge.bin'), '')
    // Takes no room on the disk, and would take long to read.
    truncateSync(project.path('src/huge.bin'), 100_000_000_000)
    const [failure] = await project.failures()
    expect(failure!.code).toBe('BUNDLE_TOO_LARGE')
    expect(failure!.message.split('\n').slice(0, 4)).toEqual([
      'the worker bundles have 95367.5 MiB, and 976.6 KiB is the limit; the largest parts are',
      expect.stringMatching(/^ {2}95367\.4 MiB {2}one\/assets\/huge-[0-9a-f]{8}\.bin$/),
      expect.stringMatching(/^ {2}48\.8 KiB {2}one\/assets\/big-[0-9a-f]{8}\.bin$/),
      '  29.3 KiB  one/main.mjs: src/text.txt',
    ])
    expect(project.written()).toEqual([])
  })

  test('files by a pattern in a project that is itself below node_modules', async () => {
    const failures = await failuresOf(
      { 'src/a.ts': one(`import.meta.glob('./pages/*.ts')`) },
      { below: 'node_modules/app' },
    )
    expect(failures).toEqual([
      ['IMPORT_NOT_STATIC', expect.stringContaining('by a pattern'), 'src/a.ts:3:56'],
    ])
  })

  test('a listed package of which nobody knows the version', async () => {
    const failures = await failuresOf({
      'src/a.ts': `${head}export const run = remote({ name: 'one', dependencies: ['unheard-of'] }, async () => 1)`,
    })
    expect(failures.map(([code]) => code)).toEqual(['DEPENDENCY_NO_VERSION'])
  })

  test('files that the host names and that are not there', async () => {
    const failures = await failuresOf(
      { 'src/a.ts': one('[logo, text]', `import logo from '~/logo.png'\nimport text from '~/text.md?raw'`) },
      {
        resolveFor: (root) => async (specifier) =>
          specifier.startsWith('~/') ? `${root}/src/${specifier.slice(2)}` : null,
      },
    )
    expect(failures.map(([code]) => code)).toContainEqual(
      expect.stringMatching(/IMPORT_NOT_FOUND|MODULE_FAILED/),
    )
  })

  test('what a plugin of the user throws', async () => {
    const failures = await failuresOf(
      { 'src/a.ts': one('1') },
      {
        plugins: () => [
          {
            name: 'broken',
            transform(_: string, id: string) {
              if (id.endsWith('a.ts')) throw new Error('this plugin is broken')
            },
          },
        ],
      },
    )
    expect(failures).toEqual([['MODULE_FAILED', expect.stringContaining('this plugin is broken'), undefined]])
  })

  test('what a plugin leaves outside and nobody installs', async () => {
    const left = {
      name: 'left',
      resolveId: (id: string) => (id === 'left-out' ? { id, external: true } : null),
    }
    const failures = await failuresOf(
      {
        'package.json': `{ "name": "app", "dependencies": { "left-out": "1.0.0" } }`,
        'node_modules/left-out/package.json': `{ "name": "left-out", "version": "1.0.0" }`,
        'node_modules/left-out/index.js': '',
        'src/a.ts': one('x', `import x from 'left-out'`),
      },
      { plugins: () => [left] },
    )
    expect(failures).toEqual([
      [
        'IMPORT_NOT_FOUND',
        'a plugin of the worker build leaves "left-out" outside of the bundle, where nobody installs it',
        undefined,
      ],
    ])
  })

  test('a broken TypeScript configuration', async () => {
    const failures = await failuresOf({
      'tsconfig.json': '{ "extends": "./gone.json" }',
      'src/a.ts': one('1'),
    })
    expect(failures).toEqual([['MODULE_FAILED', expect.stringMatching(/gone|tsconfig/i), undefined]])
  })
})
