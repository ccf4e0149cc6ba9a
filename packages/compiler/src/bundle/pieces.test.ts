import { assert, constantFrom, property, string } from 'fast-check'
import { MagicString } from 'magic-string'
import { describe, expect, test } from 'vitest'
import { AppError } from '@flash/protocol'
import { parseModule } from '../parse.ts'
import { createTestProject } from '../testing/project.ts'
import { findAssetUrls, replaceUrls } from './asset-urls.ts'
import { commentsAround } from './comments.ts'
import { createDefines } from './defines.ts'
import { callStart } from './entry.ts'
import { createFileCache } from './files.ts'
import { toBundleMap } from './folder-map.ts'
import { addHead } from './head.ts'
import { checkInputOptions, mergeOptions } from './input-options.ts'
import { loadInstalled } from './installed.ts'
import { keptText } from './kept-text.ts'
import { checkSize } from './limits.ts'
import { locateImport } from './locate-import.ts'
import { sortKeys } from './manifest.ts'
import { toMissing } from './missing.ts'
import { findOwnModules } from './own.ts'
import { createSideEffects } from './side-effects.ts'
import { isPath, packageOf, splitQuery } from './specifier.ts'
import { createTsconfigs } from './tsconfig.ts'

describe('names that the build knows', () => {
  const given = { mode: 'production', define: {}, env: {} }

  test('those of servers are there without being given', () => {
    expect(createDefines(given)).toEqual({
      'import.meta.env': '{"DEV": false, "MODE": "production", "PROD": true, "SSR": true}',
      'import.meta.env.DEV': 'false',
      'import.meta.env.MODE': '"production"',
      'import.meta.env.PROD': 'true',
      'import.meta.env.SSR': 'true',
      'import.meta.env.*': 'undefined',
      'import.meta.hot': 'undefined',
    })
  })

  for (const [what, define, env, member, whole] of [
    ['of the host', {}, { MODE: 'staging', SSR: false }, ['MODE', '"staging"'], '"MODE": "staging"'],
    ['that are undefined', {}, { VITE_X: undefined }, ['VITE_X', 'undefined'], '"VITE_X": undefined'],
    ['given one by one', { 'import.meta.env.X': 'window.x' }, { X: 1 }, ['X', 'window.x'], '"X": window.x'],
    ['given as an object', { 'import.meta.env': { X: 1 } }, { X: 2 }, ['X', '1'], '"X": 1'],
    ['given as JSON', { 'import.meta.env': '{ "X": "1" }' }, {}, ['X', '"1"'], '"X": "1"'],
    ['given as something else', { 'import.meta.env': 'envOf(x)' }, { X: 2 }, ['X', '2'], '"X": 2'],
    ['given as no object', { 'import.meta.env': '1' }, { X: 2 }, ['X', '2'], '"X": 2'],
  ] as const) {
    test(`\`import.meta.env\` has names ${what}`, () => {
      const defines = createDefines({ ...given, define, env })
      expect(defines[`import.meta.env.${member[0]}`]).toBe(member[1])
      expect(defines['import.meta.env']).toContain(whole)
      expect(defines['import.meta.env']).toContain('"SSR": true')
    })
  }

  test('text is an expression, and anything else the value itself', () => {
    const define = { A: 'b + 1', C: { d: [1] }, E: null, F: undefined, 'process.env.NODE_ENV': '"test"' }
    expect(createDefines({ ...given, define })).toMatchObject({
      A: 'b + 1',
      C: '{"d":[1]}',
      E: 'null',
      F: 'undefined',
      'process.env.NODE_ENV': '"test"',
    })
  })
})

describe('files that a module names beside itself', () => {
  for (const [what, code, found] of [
    ['a text', `new URL('./a.bin', import.meta.url)`, ['/app/src/a.bin']],
    ['a template', 'new URL(`../a.bin`, import.meta.url)', ['/app/a.bin']],
    ['a name alone', `new URL("a.bin", import.meta.url).href`, ['/app/src/a.bin']],
    ['what is written in percent', `new URL('./a%20b.bin', import.meta.url)`, ['/app/src/a b.bin']],
    ['query and hash', `new URL('./a.bin?x=1#y', import.meta.url)`, ['/app/src/a.bin']],
    [
      'two',
      `f(new URL('./a', import.meta.url), new URL('./b', import.meta.url))`,
      ['/app/src/a', '/app/src/b'],
    ],
    ['an address', `new URL('https://x.org/a', import.meta.url)`, []],
    ['data', `new URL('data:text/plain,a', import.meta.url)`, []],
    ['from the origin', `new URL('/a.bin', import.meta.url)`, []],
    ['a folder', `new URL('./a/', import.meta.url)`, []],
    ['its own folder', `new URL('..', import.meta.url)`, []],
    ['nothing', `new URL('', import.meta.url)`, []],
    ['an escaped slash', `new URL('./a%2fb', import.meta.url)`, []],
    ['what is computed', 'new URL(`./${name}`, import.meta.url)', []],
    ['a number', `new URL(1, import.meta.url)`, []],
    ['another base', `new URL('./a', document.baseURI), import.meta.url`, []],
    ['another member', `new URL('./a', import.meta.dirname), import.meta.url`, []],
    ['no base', `new URL('./a'), import.meta.url`, []],
    ['another class', `new Url('./a', import.meta.url)`, []],
    ['a comment', `// new URL('./a', import.meta.url)`, []],
  ] as [string, string, string[]][]) {
    test(`${what}: ${code}`, () => {
      expect(findAssetUrls(code, '/app/src/x.ts').map(({ file }) => file)).toEqual(found)
    })
  }

  test('are replaced, with what follows the path', () => {
    const code = `const a: URL = new URL('./a.bin?x', import.meta.url)`
    const [url] = findAssetUrls(code, '/app/x.ts')
    expect(replaceUrls(code, '/app/x.ts', [[url!, 'assets/a-1.bin']]).code).toBe(
      `const a: URL = new URL("./assets/a-1.bin?x", import.meta.url)`,
    )
  })
})

describe('the text that a map shows of an edited module', () => {
  test('has blanks for what is gone, at the place of everything else', () => {
    const original = `const a = 1\r\nconst gone = 'x'\n\tb(gone, "keep"); c()\n`
    const text = new MagicString(original)
    text.remove(13, 29)
    text.overwrite(original.indexOf('gone,'), original.indexOf('gone,') + 4, 'stub')
    text.prepend('import x\n')
    const edited = { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) }
    expect(keptText(original, edited)).toBe(`const a = 1\r\n\n\tb(    , "keep"); c()\n`)
    const start = original.indexOf(' c()')
    expect(keptText(original, edited, [{ start, end: start + 4 }])).toBe(
      `const a = 1\r\n\n\tb(    , "keep");\n`,
    )
  })

  test('never has anything that was removed', () => {
    const line = string({ unit: constantFrom('a', ' ', '(', '1', '\n', 'é', '😀', '\t') })
    assert(
      property(line, line, line, line, (one, two, three, inserted) => {
        const removed = `SECRET${two}SECRET`
        const original = one + removed + three
        const text = new MagicString(original)
        if (inserted === '') text.remove(one.length, one.length + removed.length)
        else text.overwrite(one.length, one.length + removed.length, inserted)
        const edited = { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) }
        const shown = keptText(original, edited)
        expect(shown).not.toContain('SECRET')
        expect(shown.split('\n').length).toBe(original.split('\n').length)
        for (const [index, shownLine] of shown.split('\n').entries())
          expect(original.split('\n')[index]!.startsWith(shownLine) || /\s/.test(shownLine)).toBe(true)
      }),
    )
  })

  test('has no comments of functions that are elsewhere', () => {
    const code = `/* a */ const a = 1 /* behind a */\n/* b */\nconst b = f() // behind b\n// c\nconst c = 2`
    const place = { start: code.indexOf('f()'), end: code.indexOf('f()') + 3 }
    const spans = commentsAround(parseModule(code, '/x.ts'), [place])
    expect(spans.map(({ start, end }) => code.slice(start, end))).toEqual([
      ' /* behind a */\n/* b */\n',
      ' // behind b',
    ])
    const last = parseModule('g()', '/y.ts')
    expect(commentsAround(last, [{ start: 0, end: 3 }])).toEqual([
      { start: 0, end: 0 },
      { start: 3, end: 3 },
    ])
  })
})

describe('the finished code', () => {
  for (const [code, started] of [
    ['const __flash_start = 1;\nexport { __flash_start };\n', 'const __flash_start = 1;\n__flash_start();\n'],
    ['const a=1;export{a as __flash_start};', 'const a=1;a();'],
    ['export {\n  $a as __flash_start\n}', '$a();'],
  ] as const) {
    test(`starts the program: ${JSON.stringify(code)}`, () => expect(callStart(code)).toBe(started))
  }

  test('defines what it uses of CommonJS, in front of everything', () => {
    const { code, map } = addHead('x(__flash_dirname, __flash_require)', { mappings: 'AAAA' })
    expect(code.split('\n')).toEqual([
      'const __flash_dirname = import.meta.dirname;',
      expect.stringContaining('const __flash_require = __flash_createRequire(import.meta.url);'),
      'x(__flash_dirname, __flash_require)',
    ])
    expect(map.mappings).toBe(';;AAAA')
  })

  test('has a map that names files by their place in the project, and other modules by their name', () => {
    using project = createTestProject({
      'node_modules/unplugin-flash/package.json': `{ "name": "unplugin-flash", "exports": { "./internal/bundle": "./b.mjs" } }`,
      'node_modules/unplugin-flash/b.mjs': '',
    })
    const own = findOwnModules(project.root)
    const sources = [
      '../../../src/a.ts',
      '../../../../sibling/b.ts',
      '../../../../x/node_modules/@s/p/node_modules/q/c.js',
      '../../../node_modules/unplugin-flash/b.mjs',
      '\0made',
      'virtual:x',
      null,
    ]
    const map = toBundleMap(
      { sources, mappings: 'AAAA' },
      {
        root: project.root,
        own,
        shownText: (file) => (file.endsWith('a.ts') ? Buffer.from('"A"') : null),
      },
    )
    expect(JSON.parse(map.toString())).toEqual({
      version: 3,
      file: 'main.mjs',
      sources: [
        '../../../src/a.ts',
        '../../../../sibling/b.ts',
        '../../../node_modules/q/c.js',
        '../../../node_modules/unplugin-flash/b.mjs',
        'made',
        'virtual:x',
        '',
      ],
      sourcesContent: ['A', null, null, null, null, null, null],
      names: [],
      mappings: 'AAAA',
    })
  })
})

describe('options of the engine', () => {
  test('are combined where both are objects', () => {
    const ours = { a: { b: 1, c: { d: 2 } }, list: [1], e: 1 }
    expect(mergeOptions(ours, { a: { c: { f: 3 } }, list: [2], e: { g: 1 }, h: null })).toEqual({
      a: { b: 1, c: { d: 2, f: 3 } },
      list: [2],
      e: { g: 1 },
      h: null,
    })
    expect(ours).toEqual({ a: { b: 1, c: { d: 2 } }, list: [1], e: 1 })
  })

  test('are all named when they are refused', () => {
    expect(() => checkInputOptions({ treeshake: true, toString: 1 })).not.toThrow()
    expect(() => checkInputOptions({ input: 1, external: [] })).toThrow(/`input`: .*; `external`: /)
  })
})

describe('where an import stands', () => {
  const code = `import a from 'one'\nexport * from "two"\nconst b = import(\`three\`), c = require('four')\n`
  for (const [specifier, line, column] of [
    ['one', 1, 15],
    ['two', 2, 15],
    ['three', 3, 18],
    ['four', 3, 32],
    ['nowhere', 1, 1],
  ] as const) {
    test(specifier, () => {
      const { at, frame } = locateImport(code, '/app/x.ts', 'x.ts', specifier)
      expect(at).toEqual({ file: 'x.ts', line, column })
      expect(frame).toContain(`> ${line} |`)
    })
  }

  test('is added to what is known of it, unless that has a place', () => {
    const context = { shownPath: () => 'x.ts', find: (file: string) => (file === '/app/x.ts' ? code : null) }
    const known = new AppError('DEPENDENCY_NOT_INSTALLED', { message: 'm', hint: 'h' })
    expect(toMissing('two', '/app/x.ts', context, known)).toMatchObject({ message: 'm', at: { line: 2 } })
    const at = { file: 'y.ts', line: 9, column: 9 }
    const placed = new AppError('DEPENDENCY_NOT_INSTALLED', { message: 'm', at, frame: 'f' })
    expect(toMissing('two', '/app/x.ts', context, placed)).toMatchObject({ at, frame: 'f' })
    for (const importer of ['\0made', '/app/package.json', '/app/gone.ts'])
      expect(toMissing('two', importer, context).at).toBeUndefined()
    expect(toMissing('two', '/app/x.ts', context).hint).toBe('correct the import')
  })
})

describe('specifiers', () => {
  for (const [specifier, path, name] of [
    ['./a', true, null],
    ['..', true, null],
    ['/a', true, null],
    ['C:\\a', true, null],
    ['a', false, 'a'],
    ['a/b.js', false, 'a'],
    ['@s/a/b', false, '@s/a'],
    ['.a', false, null],
    ['@/a', false, null],
    ['~/a', false, null],
    ['#a', false, null],
    ['virtual:a', false, null],
    ['$app/a', false, null],
    ['https://a.org', false, null],
  ] as const) {
    test(specifier, () => {
      expect(isPath(specifier)).toBe(path)
      if (!path) expect(packageOf(specifier)).toBe(name)
    })
  }

  test('may have a query', () => {
    expect(splitQuery('./a?raw&x=?')).toEqual(['./a', '?raw&x=?'])
    expect(splitQuery('./a')).toEqual(['./a', ''])
  })
})

test('keys are sorted at every depth, lists are left alone', () => {
  const sorted = sortKeys({ b: [{ d: 1, c: null }, 2, 1], a: { z: 1, y: 2 } })
  expect(JSON.stringify(sorted)).toBe('{"a":{"y":2,"z":1},"b":[{"c":null,"d":1},2,1]}')
})

test('a build that fits is no problem, and the largest of many parts are ten', () => {
  const never = () => {
    throw new Error('asked')
  }
  expect(checkSize(10, never, 10)).toBeNull()
  const parts = Array.from({ length: 20 }, (_, index) => ({ name: `part ${index}`, bytes: index * 2 ** 20 }))
  const error = checkSize(11, () => parts, 10)!
  expect(error.message.split('\n')).toHaveLength(11)
  expect(error.message.split('\n')[1]).toBe('  19.0 MiB  part 19')
})

test('a bundler that is not installed is asked for by name', async () => {
  await expect(loadInstalled('/nowhere', 'no-such-bundler')).rejects.toMatchObject({
    code: 'BUNDLER_NOT_FOUND',
    message:
      'the worker bundles are made with rollup and esbuild, and no-such-bundler is not installed in /nowhere',
    hint: expect.stringContaining('npm install --save-dev no-such-bundler'),
  })
})

test('a bundler is loaded whichever kind of module it is', async () => {
  using project = createTestProject({
    'node_modules/esm/package.json': `{ "name": "esm", "type": "module", "exports": "./i.js" }`,
    'node_modules/esm/i.js': `export const made = 'esm'`,
    'node_modules/cjs/package.json': `{ "name": "cjs", "main": "./i.js" }`,
    'node_modules/cjs/i.js': `module.exports = { made: ['c', 'js'].join('') }`,
  })
  expect(await loadInstalled(project.root, 'esm')).toMatchObject({ made: 'esm' })
  expect(await loadInstalled(project.root, 'cjs')).toEqual({ made: 'cjs' })
})

test('a part of our own package that is not there is asked for', () => {
  using project = createTestProject({
    'node_modules/unplugin-flash/package.json': `{ "name": "unplugin-flash", "exports": { "./internal/bundle": "./b.mjs" } }`,
    'node_modules/unplugin-flash/b.mjs': '',
  })
  const own = findOwnModules(project.root)
  expect(own.resolve('unplugin-flashy')).toBeNull()
  expect(own.includes(project.path('node_modules/unplugin-flash/x.mjs'))).toBe(true)
  expect(own.includes(project.path('node_modules/unplugin-flash-more/x.mjs'))).toBe(false)
  expect(() => own.resolve('unplugin-flash/not-there')).toThrow(
    expect.objectContaining({ code: 'DEPENDENCY_NOT_INSTALLED' }),
  )
})

test('`sideEffects` counts where it is said for all files, and the engine is asked about patterns', () => {
  const texts: Record<string, string> = {
    '/no/package.json': `{ "sideEffects": false }`,
    '/some/package.json': `{ "sideEffects": ["*.css"] }`,
    '/none/package.json': `{}`,
    '/broken/package.json': `{`,
  }
  const find = (file: string) => texts[file] ?? null
  const sideEffectsOf = createSideEffects({ find }, (file) =>
    file.startsWith('/lone') ? null : file.replace(/[^/]+$/, 'package.json'),
  )
  const answers = ['/no/a', '/no/b', '/some/a', '/none/a', '/broken/a', '/lone/a'].map(sideEffectsOf)
  expect(answers).toEqual([false, false, 'ask', undefined, undefined, undefined])
})

test('files are read once', () => {
  using project = createTestProject({ 'a.txt': '"é"' })
  const files = createFileCache()
  const file = project.path('a.txt')
  expect(files.json(file)!.toString()).toBe('"\\"é\\""')
  const hash = files.hash(file)
  project.write({ 'a.txt': 'other' })
  expect([files.text(file), files.find(file), files.hash(file)]).toEqual(['"é"', '"é"', hash])
  const gone = project.path('gone')
  expect([files.find(gone), files.hash(gone), files.json(gone)]).toEqual([null, null, null])
  expect(() => files.text(gone)).toThrow('ENOENT')
})

describe('TypeScript configurations', () => {
  test('are those of the nearest file, or of the one it refers to that is for the module', () => {
    using project = createTestProject({
      'tsconfig.json': `{ "references": [{ "path": "./app" }, { "path": "./other.json" }], "compilerOptions": { "jsx": "react" } }`,
      'app/tsconfig.json': `{ "extends": "../base.json", "compilerOptions": { "paths": { "@/*": ["./*"], "@/deep/*": ["./x/*"] } } }`,
      'base.json': `{ "compilerOptions": { "experimentalDecorators": true, "lib": ["ES2023"] } }`,
      'other.json': `{ "include": ["other"], "compilerOptions": { "jsx": "preserve" } }`,
    })
    const tsconfigs = createTsconfigs()
    const app = project.path('app/a.ts')
    expect(tsconfigs.compilerOptions(app)).toEqual({ experimentalDecorators: true })
    expect(tsconfigs.candidates('@/deep/y', app)).toEqual([project.path('app/x/y')])
    expect(tsconfigs.candidates('elsewhere', app)).toEqual([])
    expect(tsconfigs.compilerOptions(project.path('other/a.ts'))).toEqual({ jsx: 'preserve' })
    expect(tsconfigs.compilerOptions(project.path('a.ts'))).toEqual({ jsx: 'react' })
    expect(tsconfigs.settings(app)?.file).toBe(project.path('app/tsconfig.json'))
    expect(tsconfigs.candidates('x', '/a.ts')).toEqual([])
    expect(tsconfigs.compilerOptions('/a.ts')).toEqual({})
    expect(tsconfigs.settings('/a.ts')).toBeNull()
  })

  test('that cannot be read are told, and are nobody’s settings', () => {
    using project = createTestProject({ 'tsconfig.json': `{ "extends": "./gone.json" }` })
    const tsconfigs = createTsconfigs()
    const file = project.path('a.ts')
    expect(() => tsconfigs.compilerOptions(file)).toThrow(expect.objectContaining({ code: 'MODULE_FAILED' }))
    expect(tsconfigs.settings(file)).toBeNull()
  })
})
