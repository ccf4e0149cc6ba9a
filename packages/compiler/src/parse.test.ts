import { AppError } from '@flash/protocol'
import type { ExpressionStatement } from 'oxc-parser'
import { describe, expect, test } from 'vitest'
import { parseModule, peel, withoutQuery } from './parse.ts'

describe('positions', () => {
  for (const [what, code, line, column] of [
    ['the first character', 'X', 1, 1],
    ['the second line', 'a\n X', 2, 2],
    ['CRLF', 'a\r\nb\r\n X', 3, 2],
    ['a lone CR', 'a\r X', 2, 2],
    ['a byte order mark', '\uFEFF X', 1, 2],
    ['a byte order mark and lines', '\uFEFFa\nX', 2, 1],
    ['an emoji, as editors count it', "'🧾'\n'🧾', X", 2, 7],
  ] as const) {
    test(what, () => {
      const parsed = parseModule(code, `/${what}.ts`)
      expect(parsed.position(code.indexOf('X'), 'a.ts')).toEqual({ file: 'a.ts', line, column })
    })
  }

  test('the file is the module itself unless named otherwise', () => {
    expect(parseModule('X', '/src/a.ts?v=1').position(0)).toEqual({ file: '/src/a.ts', line: 1, column: 1 })
  })

  test('before a byte order mark there is no column', () => {
    expect(parseModule('\uFEFFX', '/src/bom.ts').position(0)).toMatchObject({ line: 1, column: 1 })
  })
})

describe('the language', () => {
  for (const [id, code, fine] of [
    ['/a.ts', 'const a = <T>b', true],
    ['/a.mts', 'const a = <T,>(b: T) => b', true],
    ['/a.tsx', 'const a = <T,>(b: T) => <p>{b}</p>', true],
    ['/a.ts', 'const a = <p></p>', false],
    ['/a.js', 'const a = <p></p>', true],
    ['/a.jsx', 'const a = <p></p>', true],
    ['/a.js', 'const a: string = 1', false],
    ['/a.d.ts', 'export const a: string', true],
    ['/a.vue?vue&type=script&lang.ts', 'const a: string = b', true],
    ['/a.vue?vue&type=script&setup=true&lang.tsx', 'const a: X = <p />', true],
    ['/a.svelte?lang=ts', 'const a: string = b', true],
    ['/a.cjs', 'return', true],
    ['/a.mjs', 'return', false],
  ] as const) {
    test(`${id}: ${code} ${fine ? 'parses' : 'does not parse'}`, () => {
      const parse = () => parseModule(code, id)
      if (fine) expect(parse().program.body).toHaveLength(1)
      else expect(parse).toThrow(AppError)
    })
  }
})

test('the same text of the same file is parsed once', () => {
  const first = parseModule('const a = 1', '/same.ts')
  expect(parseModule('const a = 1', '/same.ts')).toBe(first)
  expect(parseModule('const a = 2', '/same.ts')).not.toBe(first)
  expect(parseModule('const a = 1', '/other.ts').file).toBe('/other.ts')
})

test('only so many modules are kept', () => {
  const first = parseModule('const a = 1', '/kept-first.ts')
  for (let count = 0; count < 300; count++) parseModule('const a = 1', `/kept-${count}.ts`)
  expect(parseModule('const a = 1', '/kept-first.ts')).not.toBe(first)
})

test('a syntax error has position, frame and a next step', () => {
  const error = (() => {
    try {
      parseModule('const a = 1\nconst = 2', '/src/broken.ts', 'src/broken.ts')
    } catch (thrown) {
      return thrown as AppError
    }
  })()
  expect(error).toMatchObject({ code: 'SYNTAX_ERROR', at: { file: 'src/broken.ts', line: 2, column: 7 } })
  expect(error!.hint).toBeTruthy()
  expect(error!.frame).toContain('> 2 | const = 2')
})

test('bindings are told with kind, origin and value', () => {
  const code = `
    import type { T } from 'types'
    import main, { type Inline, one as two, 'quoted name' as quoted } from 'values'
    import * as all from 'all'
    import equals = require('old')
    const a = 1, { b, c: [d = 2, ...e], ...f } = a
    let g
    var h = 3
    using i = a
    function j(): void
    function j(x?: string) {}
    declare function k(): void
    class L {}
    enum M { one }
    namespace N.Deep { export const x = 1 }
    declare module 'ambient' {}
    interface O {}
    interface L {}
    type P = string
    function P() {}
  `
  const { bindings } = parseModule(code, '/bindings.ts')
  const shown = [...bindings.values()].map((binding) => {
    if (binding.kind === 'import')
      return `${binding.name}: ${binding.typeOnly ? 'type ' : ''}${binding.imported} of ${binding.source}`
    return `${binding.name}: ${binding.kind}${binding.init ? ' with value' : ''}${binding.destructured ? ' from a pattern' : ''} ${binding.node.type}`
  })
  expect(shown).toEqual([
    'T: type T of types',
    'main: default of values',
    'Inline: type Inline of values',
    'two: one of values',
    'quoted: quoted name of values',
    'all: * of all',
    'equals: import-equals TSImportEqualsDeclaration',
    'a: const with value VariableDeclarator',
    'b: const from a pattern VariableDeclarator',
    'd: const from a pattern VariableDeclarator',
    'e: const from a pattern VariableDeclarator',
    'f: const from a pattern VariableDeclarator',
    'g: let VariableDeclarator',
    'h: var with value VariableDeclarator',
    'i: using with value VariableDeclarator',
    'j: function FunctionDeclaration',
    'k: function TSDeclareFunction',
    'L: class ClassDeclaration',
    'M: enum TSEnumDeclaration',
    'N: namespace TSModuleDeclaration',
    'O: type TSInterfaceDeclaration',
    'P: function FunctionDeclaration',
  ])
})

test('exports are told with their origin', () => {
  const code = `
    export const a = 1, { b } = a
    export function c() {}
    export type D = string
    export { a as e, type D as F, c as 'quoted name' }
    export type { D as G }
    export { x, y as z, default as main, type T } from 'elsewhere'
    export * from 'star'
    export type * from 'types'
    export * as all from 'whole'
    await using h = a
    export {}
  `
  const { exports, exportAlls } = parseModule(code, '/exports.ts')
  const shown = [...exports.values()].map((found) => {
    const type = found.typeOnly ? 'type ' : ''
    return `${type}${found.name}: ${found.kind === 'local' ? found.local : found.kind === 'from' ? `${found.imported} of ${found.source}` : found.expression.type}`
  })
  expect(shown).toEqual([
    'a: a',
    'b: b',
    'c: c',
    'type D: D',
    'e: a',
    'type F: D',
    'quoted name: c',
    'type G: D',
    'x: x of elsewhere',
    'z: y of elsewhere',
    'main: default of elsewhere',
    'type T: T of elsewhere',
    'all: * of whole',
  ])
  expect(exportAlls.map(({ source, typeOnly }) => [source, typeOnly])).toEqual([
    ['star', false],
    ['types', true],
  ])
})

test('a name that is both value and type is exported as a value', () => {
  const { exports } = parseModule('export function P() {}\nexport type P = string', '/both.ts')
  expect(exports.get('P')).toMatchObject({ kind: 'local', typeOnly: false })
})

for (const [code, wanted] of [
  ['export default 1', { kind: 'expression' }],
  ['const a = 1\nexport default a', { kind: 'local', local: 'a' }],
  ['export default function a() {}', { kind: 'local', local: 'a' }],
  ['export default class A {}', { kind: 'local', local: 'A' }],
  ['export default class {}', { kind: 'expression' }],
  ['export default interface A {}', { kind: 'local', local: 'A', typeOnly: true }],
] as const) {
  test(`default export: ${code}`, () => {
    expect(parseModule(code, '/default.ts').exports.get('default')).toMatchObject(wanted)
  })
}

test('wrappers come off', () => {
  const { program } = parseModule('(((a as any) satisfies B)!<C>)', '/peel.ts')
  const [statement] = program.body
  expect(peel((statement as ExpressionStatement).expression)).toMatchObject({
    type: 'Identifier',
    name: 'a',
  })
  const [cast] = parseModule('<T>a', '/peel2.ts').program.body
  expect(peel((cast as ExpressionStatement).expression)).toMatchObject({ type: 'Identifier', name: 'a' })
})

test('queries come off', () => {
  expect(withoutQuery('/a.ts?v=1&x')).toBe('/a.ts')
  expect(withoutQuery('/a.ts')).toBe('/a.ts')
})
