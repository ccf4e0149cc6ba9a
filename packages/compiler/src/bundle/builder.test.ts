import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createWorkerProject, type WorkerProjectOptions } from '../testing/workers.ts'

const head = `import { remote } from 'unplugin-flash'\n`

/** One function named `run` of the endpoint `one`. */
const one = (body: string, before = '') =>
  `${head}${before}\nexport const run = remote({ name: 'one' }, async (n: any) => ${body})\n`

describe.each(['rolldown', 'rollup'] as const)('worker bundles made with %s', (engine) => {
  const create = (files: Record<string, string>, options: WorkerProjectOptions = {}) =>
    createWorkerProject(files, { engine, ...options })

  /** What a bundle of one function answers. */
  async function answerOf(
    files: Record<string, string>,
    options: WorkerProjectOptions = {},
    given: unknown = 1,
  ): Promise<any> {
    using project = await create(files, options)
    await project.build()
    return await project.call('one', 'run', given)
  }

  describe('what goes in', () => {
    test('TypeScript with enums, parameter properties, and types that are imported', async () => {
      expect(
        await answerOf({
          'src/types.ts': `export interface Point { x: number }\nexport enum Colour { red = 3, blue }`,
          'src/a.ts': one(
            `[Colour.blue, new Counter(n).start]`,
            `import { Colour, Point } from './types'\nclass Counter { constructor(public start: number) {} }\nexport const at: Point = { x: 1 }`,
          ),
        }),
      ).toEqual([4, 1])
    })

    test('JSX and decorators as tsconfig says, also by reference', async () => {
      expect(
        await answerOf({
          'tsconfig.json': `{ "files": [], "references": [{ "path": "./tsconfig.app.json" }] }`,
          'tsconfig.app.json': `{
            // Comments are allowed.
            "compilerOptions": { "jsx": "react", "jsxFactory": "make", "experimentalDecorators": true },
            "include": ["src"]
          }`,
          'src/view.tsx': `const make = (tag: string, props: object, ...inner: unknown[]) => ({ tag, props, inner })
const seen: string[] = []
function mark(_: object, name: string) { seen.push(name) }
class View { @mark draw() { return <p id="x">text</p> } }
export const view = () => [new View().draw(), seen]`,
          'src/a.ts': one('view()', `import { view } from './view'`),
        }),
      ).toEqual([{ tag: 'p', props: { id: 'x' }, inner: ['text'] }, ['draw']])
    })

    test('paths of tsconfig, aliases of the host, and names that the host has for packages', async () => {
      expect(
        await answerOf(
          {
            'tsconfig.json': `{ "compilerOptions": { "paths": { "#lib/*": ["./src/lib/*"] } } }`,
            'src/lib/x.ts': `export const x = 'by tsconfig'`,
            'src/lib/y.ts': `export const y = 'by host'`,
            'node_modules/real/package.json': `{ "name": "real", "version": "1.0.0", "main": "i.js" }`,
            'node_modules/real/i.js': `exports.z = 'by another name'`,
            'package.json': `{ "name": "app", "dependencies": { "real": "1.0.0" } }`,
            'src/a.ts': one(
              `[x, y, z]`,
              `import { x } from '#lib/x'\nimport { y } from '~/lib/y'\nimport { z } from 'nickname'`,
            ),
          },
          {
            resolveFor: (root) => async (specifier) => {
              if (specifier === 'nickname') return 'real'
              return specifier.startsWith('~/') ? join(root, 'src', `${specifier.slice(2)}.ts`) : null
            },
          },
        ),
      ).toEqual(['by tsconfig', 'by host', 'by another name'])
    })

    test('JSON by name and as a whole, and any file as text', async () => {
      expect(
        await answerOf({
          'package.json': `{ "name": "remote", "devDependencies": { "unplugin-flash": "*" } }`,
          'src/data.json': `{ "size": 3, "not-a-name": 4 }`,
          'src/prompt.md': '# "Hi"\n`${x}`',
          'src/code.ts': 'export const x: number = 1',
          'src/a.ts': one(
            `[data, size, prompt, code, name]`,
            `import data, { size } from './data.json'\nimport { name } from '../package.json'\nimport prompt from './prompt.md?raw'\nimport code from './code.ts?raw'`,
          ),
        }),
      ).toEqual([{ size: 3, 'not-a-name': 4 }, 3, '# "Hi"\n`${x}`', 'export const x: number = 1', 'remote'])
    })

    test('files of functions as text are what they are, and our own files are not compiled', async () => {
      using project = await create({
        'node_modules/unplugin-flash/dist/internal/calls.mjs': `export const word = 'remote' // unplugin-flash: remote({}, () => 1)
export const serverStub = () => { throw new Error(new URL('./calls.mjs', import.meta.url).href) }`,
        'src/other.ts': `${head}export const other = remote({ name: 'two' }, async () => 'TWO')`,
        'src/a.ts': one(
          `[text, await other().catch?.((error: Error) => error.message)]`,
          `import text from './other.ts?raw'\nimport { other } from './other'`,
        ),
      })
      await project.build()
      expect(project.read('one/main.mjs')).toContain(`remote({ name: 'two' }, async () => 'TWO')`)
      expect(project.written().join()).not.toContain('assets')
    })

    test('modules that are imported while the function runs, with await at their top level', async () => {
      expect(
        await answerOf({
          'src/later.ts': `const value = await new Promise<string>((done) => setTimeout(done, 20, 'later'))\nexport default value`,
          'src/a.ts': one(
            `[(await import('./later')).default, now]`,
            `const now = await Promise.resolve('now')`,
          ),
        }),
      ).toEqual(['later', 'now'])
    })

    test('modules that import each other', async () => {
      expect(
        await answerOf({
          'src/even.ts': `import { odd } from './odd'\nexport const even = (n: number): boolean => n === 0 || odd(n - 1)`,
          'src/odd.ts': `import { even } from './even'\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1)`,
          'src/a.ts': one('even(n)', `import { even } from './even'`),
        }),
      ).toBe(false)
    })

    test('CommonJS packages, with what only they have', async () => {
      const answer = await answerOf({
        'package.json': `{ "name": "app", "dependencies": { "old": "1.0.0" } }`,
        'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
        'node_modules/old/index.js': `const path = require('path')
const inner = require('./inner')
let addon
try { addon = require('./build/addon') } catch (error) { addon = error.code }
let optional
try { optional = require('bufferutil') } catch (error) { optional = error.code }
let sqlite
try { sqlite = require('node:not-in-this-node') } catch (error) { sqlite = error.code }
exports.seen = { name: path.basename(__dirname), file: path.basename(__filename), inner, addon, optional, sqlite }
exports.load = (name) => typeof require(name).join
exports.__esModule = true`,
        'node_modules/old/inner.js': `module.exports = typeof module.exports`,
        'src/a.ts': one(`[seen, load('path')]`, `import { seen, load } from 'old'`),
      })
      expect(answer).toEqual([
        {
          name: 'one',
          file: 'main.mjs',
          inner: 'object',
          addon: 'MODULE_NOT_FOUND',
          optional: 'MODULE_NOT_FOUND',
          sqlite: 'ERR_UNKNOWN_BUILTIN_MODULE',
        },
        'function',
      ])
    })

    test('packages that name files by pattern, which is their own affair', async () => {
      expect(
        await answerOf({
          'package.json': `{ "name": "app", "dependencies": { "glob": "1.0.0" } }`,
          'node_modules/glob/package.json': `{ "name": "glob", "version": "1.0.0", "type": "module", "main": "i.js" }`,
          'node_modules/glob/i.js': `export const all = () => import.meta.glob('./*.js')\nexport const name = 'glob'`,
          'src/a.ts': one(`[name, typeof all]`, `import { name, all } from 'glob'`),
        }),
      ).toEqual(['glob', 'function'])
    })

    test('modules that make a `require` of their own, beside CommonJS ones', async () => {
      expect(
        await answerOf({
          'package.json': `{ "name": "app", "dependencies": { "old": "1.0.0" } }`,
          'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
          'node_modules/old/index.js': `module.exports = (name) => typeof require(name)`,
          'src/a.ts': one(
            `[old('node:os'), typeof require('node:fs').readFileSync]`,
            `import { createRequire } from 'node:module'\nimport old from 'old'\nconst require = createRequire(import.meta.url)`,
          ),
        }),
      ).toEqual(['object', 'function'])
    })

    test('packages of the workspace, which are the project’s own code wherever they lie', async () => {
      const outside = mkdtempSync(join(tmpdir(), 'flash-linked-'))
      try {
        using project = await create({
          'package.json': `{ "name": "app", "dependencies": { "@acme/lib": "*" } }`,
          'src/a.ts': one(`[label, await size(n)]`, `import { label, size } from '@acme/lib'`),
        })
        cpSync(project.path('node_modules/unplugin-flash'), join(outside, 'node_modules/unplugin-flash'), {
          recursive: true,
        })
        mkdirSync(project.path('node_modules/@acme'), { recursive: true })
        symlinkSync(outside, project.path('node_modules/@acme/lib'), 'junction')
        writeFileSync(join(outside, 'package.json'), `{ "name": "@acme/lib", "exports": "./index.ts" }`)
        writeFileSync(
          join(outside, 'index.ts'),
          `${head}export const label: string = 'linked'\nexport const size = remote({ name: 'size' }, async (n: number) => 'BODY' + n)`,
        )
        const { manifest } = await project.build()
        // Nobody but the worker imports the package: its function is found while the worker is built.
        expect(Object.keys(manifest.endpoints)).toEqual(['one', 'size'])
        expect(manifest.endpoints.one!.calls).toEqual(['size'])
        expect(project.read('one/main.mjs')).not.toContain('BODY')
        expect(await project.call('one', 'run', 1)).toMatchObject(['linked', { args: [1] }])
        expect(await project.call('size', 'size', 2)).toBe('BODY2')
      } finally {
        rmSync(outside, { recursive: true, force: true })
      }
    })

    test('style sheets as nothing, pictures and `?url` as files beside the bundle, workers of pages as what refuses', async () => {
      using project = await create({
        'src/page.css': 'p { color: red }',
        'src/page.module.css': '.a { color: red }',
        'src/logo.png': 'PNG',
        'src/data.bin': 'BIN',
        'src/timer.ts': 'postMessage(1)',
        'src/a.ts': one(
          `{
  const refused = (() => { try { return new Timer() } catch (error: any) { return error.message } })()
  return [styles.a ?? null, b ?? null, read(new URL(logo), 'utf8'), read(new URL(data), 'utf8'), refused]
}`,
          `import { readFileSync as read } from 'node:fs'
import './page.css'
import styles from './page.module.css'
import { b } from './page.module.css'
import logo from './logo.png'
import data from './data.bin?url'
import Timer from './timer?worker'`,
        ),
      })
      await project.build()
      expect(await project.call('one', 'run')).toEqual([
        null,
        null,
        'PNG',
        'BIN',
        'src/timer.ts is a worker of pages; it does not run here',
      ])
      expect(project.written().filter((file) => file.includes('assets'))).toEqual([
        expect.stringMatching(/^one\/assets\/data-[0-9a-f]{8}\.bin$/),
        expect.stringMatching(/^one\/assets\/logo-[0-9a-f]{8}\.png$/),
      ])
    })
  })

  describe('files beside modules', () => {
    test('`new URL(…, import.meta.url)` is copied and leads to the copy, from modules and packages', async () => {
      using project = await create({
        'package.json': `{ "name": "app", "type": "module", "dependencies": { "engine": "1.0.0" } }`,
        'node_modules/engine/package.json': `{ "name": "engine", "version": "1.0.0", "type": "module", "main": "i.js" }`,
        'node_modules/engine/i.js': `export const wasm = new URL('core.wasm', import.meta.url)\nexport const thread = new URL('./thread.js', import.meta.url)`,
        'node_modules/engine/core.wasm': 'WASM',
        'node_modules/engine/thread.js': 'THREAD',
        'models/my model.onnx': 'ONNX',
        'src/unused.txt': 'UNUSED',
        'src/a.ts': one(
          `[url.search, ...[url, wasm, thread].map((file) => readFileSync(file, 'utf8'))]`,
          `import { readFileSync } from 'node:fs'
import { wasm, thread } from 'engine'
const url = new URL('../models/my%20model.onnx?v=1', import.meta.url)
export const unused = () => new URL(\`./unused.txt\`, import.meta.url)`,
        ),
      })
      const { manifest, warnings } = await project.build()
      expect(warnings).toEqual([])
      expect(await project.call('one', 'run')).toEqual(['?v=1', 'ONNX', 'WASM', 'THREAD'])
      expect(
        manifest.endpoints.one!.bundle.files.map(({ path }) => path.replace(/-[0-9a-f]{8}/, '')),
      ).toEqual([
        'assets/core.wasm',
        'assets/my_model.onnx',
        'assets/thread.js',
        'main.mjs',
        'main.mjs.map',
        'package.json',
      ])
    })

    test('a file that is not there is left alone, with a warning; folders and addresses without one', async () => {
      using project = await create({
        'src/a.ts': one(
          `[gone, folder, web].map(String)`,
          `const gone = new URL('./made-later.txt', import.meta.url)
const folder = new URL('.', import.meta.url)
const web = new URL('https://example.org/x.js', import.meta.url)`,
        ),
      })
      const { warnings } = await project.build()
      expect(warnings.map(({ code, at, message }) => [code, at?.line, message])).toEqual([
        [
          'ASSET_NOT_FOUND',
          2,
          'src/a.ts names "./made-later.txt" beside itself, and there is no such file to copy',
        ],
      ])
      expect(await project.call('one', 'run')).toEqual([
        expect.stringMatching(/\/one\/made-later\.txt$/),
        expect.stringMatching(/\/build\/one\/$/),
        'https://example.org/x.js',
      ])
    })

    test('source code as a file of its own is refused where the project asks for it', async () => {
      using project = await create({
        'src/thread.ts': 'export {}',
        'src/a.ts': one(
          `String(new Worker(new URL('./thread.ts', import.meta.url)))`,
          `import { Worker } from 'node:worker_threads'`,
        ),
      })
      expect((await project.failures()).map(({ code, message, at }) => [code, message, at?.line])).toEqual([
        [
          'URL_OF_CODE',
          'src/a.ts needs src/thread.ts as a file of its own, and a worker bundle is one file of code',
          3,
        ],
      ])
    })
  })

  describe('names that the build knows', () => {
    test('`import.meta.env` and `define` by Vite’s rules for servers; `process.env` is that of the worker', async () => {
      const answer = await answerOf(
        {
          'src/dev-only.ts': `throw new Error('loaded')`,
          'src/a.ts': one(
            `({
  mode: import.meta.env.MODE, ssr: import.meta.env.SSR, public: import.meta.env.VITE_TITLE,
  given: import.meta.env.VITE_GIVEN, secret: import.meta.env.SECRET ?? 'none', whole: import.meta.env,
  name: __NAME__, data: __DATA__, sum: 2 * __SUM__, object: { __NAME__ }, inner: ((__NAME__: string) => __NAME__)('mine'),
  node: typeof process.env.PATH, hot: import.meta.hot ?? 'none', written: ({ __NAME__ } = { __NAME__: 1 }) => 1,
})`,
            `declare const __NAME__: string, __DATA__: object, __SUM__: number
if (import.meta.env.DEV) await import('./dev-only')`,
          ),
        },
        {
          env: { VITE_TITLE: 'Shop "1"', BASE_URL: '/' },
          define: {
            __NAME__: '"named"',
            __DATA__: { list: [1] },
            __SUM__: '1 + 1',
            'import.meta.env.VITE_GIVEN': '"given"',
          },
        },
      )
      expect(answer).toEqual({
        mode: 'production',
        ssr: true,
        public: 'Shop "1"',
        given: 'given',
        secret: 'none',
        whole: {
          BASE_URL: '/',
          DEV: false,
          MODE: 'production',
          PROD: true,
          SSR: true,
          VITE_GIVEN: 'given',
          VITE_TITLE: 'Shop "1"',
        },
        name: 'named',
        data: { list: [1] },
        sum: 4,
        object: { __NAME__: 'named' },
        inner: 'mine',
        node: 'string',
        hot: 'none',
      })
    })
  })

  describe('only the code of the endpoint', () => {
    const files = {
      'src/helper.ts': `export const help = () => 'HELP'`,
      'src/both.ts': `${head}import { help } from './helper'
export const limit = 3
export const one = remote({ name: 'one' }, async (n: number) => [limit, await two(n)]); /** SECRET_IN_COMMENT */ export const two = remote({ name: 'two', env: { KEY: 'SECRET_IN_CONFIG' } }, async (n: number) => help() + 'SECRET_IN_BODY' + n) // SECRET_BEHIND
mountPage()
function mountPage() { throw new Error('SECRET_OF_PAGE') }
`,
      'src/third.ts': `${head}import { limit, one } from './both'
export class Model { ask() { return one(limit) } }
export const three = remote({ name: 'three' }, Model)`,
    }

    test('functions of other endpoints are calls, and nothing of them is on disk', async () => {
      using project = await create(files)
      const { manifest } = await project.build()
      expect(await project.call('one', 'one', 1)).toMatchObject([3, { info: { name: 'two' }, args: [1] }])
      const folder = (name: string) =>
        project
          .written()
          .filter((file) => file.startsWith(`${name}/`))
          .map(project.read)
          .join('\n')
      expect(folder('one')).not.toMatch(/SECRET|HELP/)
      expect(folder('three')).not.toMatch(/SECRET|HELP/)
      expect(folder('two')).toMatch(/SECRET_IN_BODY/)
      expect(folder('two')).not.toMatch(/SECRET_OF_PAGE/)
      const calls = Object.entries(manifest.endpoints).map(([name, endpoint]) => [name, endpoint.calls])
      expect(calls).toEqual([
        ['one', ['two']],
        ['three', ['one']],
        ['two', []],
      ])
    })

    test('comments of their functions are not either, in plain JavaScript', async () => {
      using project = await create({
        'src/both.js': `${head}
// SECRET_ABOVE
export const two = remote({ name: 'two' }, async () => 2) // SECRET_BEHIND
/* kept or not */ export const one = remote({ name: 'one' }, async () => two())`,
      })
      await project.build()
      expect(project.read('one/main.mjs') + project.read('one/main.mjs.map')).not.toContain('SECRET')
      expect(await project.call('one', 'one')).toMatchObject({ info: { name: 'two' } })
    })

    test('what is not public never is in a bundle', async () => {
      process.env.WORKER_BUILD_SECRET = 'PLANTED'
      try {
        using project = await create({
          '.env': 'WORKER_BUILD_SECRET=PLANTED',
          'src/a.ts': one(
            `[import.meta.env.WORKER_BUILD_SECRET ?? 'none', process.env.WORKER_BUILD_SECRET, import.meta.env]`,
          ),
        })
        await project.build()
        expect(project.written().map(project.read).join('\n')).not.toContain('PLANTED')
        expect(await project.call('one', 'run')).toMatchObject(['none', 'PLANTED', {}])
      } finally {
        delete process.env.WORKER_BUILD_SECRET
      }
    })

    test('modules with functions that only the bundler finds give whatever is imported of them', async () => {
      using project = await create(files, { resolveFor: () => async () => null })
      await project.build()
      expect(await project.call('one', 'one', 1)).toMatchObject([3, { info: { name: 'two' } }])
      expect(project.read('three/main.mjs')).not.toMatch(/SECRET|HELP/)
    })
  })

  describe('packages that stay outside', () => {
    const packages = {
      'package.json': `{ "name": "app", "dependencies": { "native": "^2.0.0", "listed": "1.0.0", "never": "1.0.0", "plain": "1.0.0" } }`,
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': {},
          'node_modules/native': { version: '2.3.4' },
          'node_modules/listed': { version: '1.0.0' },
          'node_modules/never': { version: '1.2.0' },
          'node_modules/plain': { version: '1.0.0' },
        },
      }),
      'node_modules/native/package.json': `{ "name": "native", "version": "2.3.4", "gypfile": true, "main": "i.js" }`,
      'node_modules/native/i.js': `module.exports = { fast: 'FAST' }`,
      'node_modules/listed/package.json': `{ "name": "listed", "version": "1.0.0", "main": "i.js" }`,
      'node_modules/listed/i.js': `exports.slow = 'SLOW'`,
      'node_modules/never/package.json': `{ "name": "never", "version": "1.2.0", "main": "i.js" }`,
      'node_modules/never/i.js': `module.exports = {}`,
      'node_modules/plain/package.json': `{ "name": "plain", "version": "1.0.0", "main": "i.js" }`,
      'node_modules/plain/i.js': `exports.plain = 'PLAIN'; exports.lazily = () => require('native').fast`,
    }
    const source = (dependencies: string) => `${head}import native from 'native'
import { slow } from 'listed'
import { plain, lazily } from 'plain'
export const run = remote({ name: 'one', dependencies: ${dependencies} }, async () => [native.fast, slow, plain, lazily(), (await import('listed')).slow])`

    test('are imported from where the bundle runs, and listed with exact versions', async () => {
      using project = await create({ ...packages, 'src/a.ts': source(`['listed', 'never']`) })
      const { manifest } = await project.build()
      expect(manifest.endpoints.one!.externals).toEqual([
        { name: 'listed', version: '1.0.0', reason: 'listed' },
        { name: 'native', version: '2.3.4', reason: 'native' },
        { name: 'never', version: '1.2.0', reason: 'listed' },
      ])
      expect(JSON.parse(project.read('one/package.json'))).toEqual({
        name: 'one',
        private: true,
        type: 'module',
        engines: { node: '^20.19 || >=22.12' },
        dependencies: { listed: '1.0.0', native: '2.3.4', never: '1.2.0' },
      })
      const code = project.read('one/main.mjs')
      expect(code).toContain('PLAIN')
      expect(code).not.toMatch(/FAST|SLOW/)
      expect(await project.call('one', 'run')).toEqual(['FAST', 'SLOW', 'PLAIN', 'FAST', 'SLOW'])
    })

    test('only what the code still imports is installed', async () => {
      using project = await create({
        ...packages,
        'src/tools.ts': `export { default as native } from 'native'\nexport const label = 'native'`,
        'src/a.ts': one('label', `import { label } from './only'`),
        'src/only.ts': `import type { x } from 'native'\nexport const label = 'native'\nexport const other = async () => import('listed')`,
      })
      const { manifest } = await project.build()
      expect(manifest.endpoints.one!.externals).toEqual([])
      expect(project.read('one/package.json')).toContain('"dependencies": {}')
    })

    test('a package that is listed and not installed is fine, one that nobody names is not', async () => {
      using project = await create({
        'package.json': `{ "name": "app", "dependencies": { "heavy": "3.0.0" } }`,
        'src/a.ts': `${head}import heavy from 'heavy'\nexport const run = remote({ name: 'one', dependencies: ['heavy@3.0.1'] }, async () => heavy)`,
        'src/b.ts': `${head}import other from 'nobody-named-this'\nexport const two = remote({ name: 'two' }, async () => other)`,
      })
      const [failure] = await project.failures()
      expect(failure).toMatchObject({ code: 'DEPENDENCY_NOT_DECLARED', at: { file: 'src/b.ts', line: 2 } })
      project.remove('src/b.ts')
      const { manifest } = await project.build()
      expect(manifest.endpoints.one!.externals).toEqual([
        { name: 'heavy', version: '3.0.1', reason: 'listed' },
      ])
      expect(project.read('one/main.mjs')).toMatch(/from ["']heavy["']/)
    })

    test('two versions of one package in one bundle are refused, with both importers', async () => {
      using project = await create({
        'package.json': `{ "name": "app", "dependencies": { "native": "2.0.0", "mid": "1.0.0" } }`,
        'node_modules/native/package.json': `{ "name": "native", "version": "2.0.0", "gypfile": true }`,
        'node_modules/native/index.js': '',
        'node_modules/mid/package.json': `{ "name": "mid", "version": "1.0.0", "dependencies": { "native": "1.0.0" } }`,
        'node_modules/mid/index.js': `exports.native = require('native')`,
        'node_modules/mid/node_modules/native/package.json': `{ "name": "native", "version": "1.0.0", "gypfile": true }`,
        'node_modules/mid/node_modules/native/index.js': '',
        'src/a.ts': one('[a, native]', `import a from 'native'\nimport { native } from 'mid'`),
      })
      const [failure] = await project.failures()
      expect(failure!.code).toBe('DEPENDENCY_TWICE')
      expect(failure!.message).toBe(
        'the worker of "one" imports two versions of native: 1.0.0 from node_modules/mid/index.js and 2.0.0 from src/a.ts',
      )
    })
  })
})
