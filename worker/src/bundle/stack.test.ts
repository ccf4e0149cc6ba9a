import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mapStacks } from './stack.ts'

const before = Error.prepareStackTrace
let folder: string
let url: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-stack-')))
  url = pathToFileURL(join(folder, 'main.mjs')).href
})
afterEach(() => {
  Error.prepareStackTrace = before
  rmSync(folder, { recursive: true, force: true })
})

function write(sourcefile: string): { line: number; column: number } {
  const { code, map } = transformSync(
    'interface A {}\n\nexport function fail() {\n  throw new Error("no")\n}\n',
    {
      loader: 'ts',
      sourcemap: true,
      sourcefile,
      minify: true,
    },
  )
  writeFileSync(join(folder, 'main.mjs.map'), map)
  return { line: 1, column: code.indexOf('throw') + 1 }
}

function site(file: string | null, line: number | null, column: number | null): NodeJS.CallSite {
  const text = `fail (${file}:${line}:${column})`
  return {
    getFileName: () => file,
    getLineNumber: () => line,
    getColumnNumber: () => column,
    toString: () => text,
  } as NodeJS.CallSite
}

const stackOf = (...sites: NodeJS.CallSite[]) =>
  Error.prepareStackTrace!(new TypeError('no'), sites) as string

test('a line of the bundle is told as the line its author wrote', () => {
  const { line, column } = write('../src/a b.ts')
  mapStacks(url)
  expect(stackOf(site(url, line, column), site('node:fs', 2, 3))).toBe(
    `TypeError: no\n    at fail (${join(folder, '../src/a b.ts')}:4:3)\n    at fail (node:fs:2:3)`,
  )
})

for (const [what, at] of [
  ['of another file', ['file:///other.mjs', 1, 1]],
  ['without a file', [null, 1, 1]],
  ['without a place', ['url', null, null]],
] as const) {
  test(`a line ${what} stays as it is`, () => {
    write('../src/a.ts')
    mapStacks(url)
    const [file, line, column] = at
    const given = site(file === 'url' ? url : file, line, column)
    expect(stackOf(given)).toBe(`TypeError: no\n    at ${String(given)}`)
  })
}

for (const [what, prepare] of [
  ['no map', () => {}],
  ['a broken map', () => writeFileSync(join(folder, 'main.mjs.map'), '{')],
  ['a source that is no file', () => void write('virtual:entry')],
] as const) {
  test(`with ${what}, lines are those of the bundle`, () => {
    prepare()
    mapStacks(url)
    expect(stackOf(site(url, 1, 30))).toBe(`TypeError: no\n    at fail (${url}:1:30)`)
  })
}

test('what is thrown and refuses to be written does no harm', () => {
  mapStacks(url)
  const error = {
    toString() {
      throw new Error('no')
    },
  }
  expect(Error.prepareStackTrace!(error as never, [])).toBe('Error')
})
