import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const here = dirname(fileURLToPath(import.meta.url))
const fixtures = join(here, 'fixtures')
const compiler = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin/tsc')

/** Messages of one compilation by `file:line`, of this folder only. */
async function compile(flags: readonly string[]): Promise<Map<string, string>> {
  const args = [compiler, '-p', fixtures, '--noEmit', '--pretty', 'false', '--noErrorTruncation', ...flags]
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: here, maxBuffer: 1 << 26 }, (_error, stdout) => resolve(stdout))
  })
  const messages = new Map<string, string>()
  let place = ''
  for (const line of text.split('\n')) {
    const [, file, number, message] = /^(\S+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line) ?? []
    if (file !== undefined) place = `${file}:${number}`
    messages.set(place, `${messages.get(place) ?? ''}${message ?? line.trim()} `)
  }
  return new Map([...messages].filter(([key]) => /^(?:fixtures\/)?[\w.-]+\.ts:/.test(key)))
}

/** What each fixture says about the line below: `// error: <part of the message>`. */
function readExpected(): Map<string, string> {
  const expected = new Map<string, string>()
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.ts'))) {
    for (const [index, line] of readFileSync(join(fixtures, file), 'utf8').split('\n').entries()) {
      if (line.startsWith('// error: '))
        expected.set(`fixtures/${basename(file)}:${index + 2}`, line.slice(10))
    }
  }
  return expected
}

describe.each([
  ['the settings of this repository', []],
  [
    'the strictest settings, with declarations',
    [
      '--declaration',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--noPropertyAccessFromIndexSignature',
      '--noImplicitOverride',
    ],
  ],
  ['a server project without browser types', ['--lib', 'ES2022']],
  ['a browser project of an older year', ['--lib', 'ES2022,DOM,DOM.Iterable', '--types', '']],
] as const)('types under %s', (_name, flags) => {
  const expected = readExpected()

  // A whole compilation, on a machine that may be busy with others.
  test('every line that must not compile says why, and every other line compiles', {
    timeout: 120_000,
  }, async () => {
    const messages = await compile(flags)
    const wrong = [...expected].filter(([place, part]) => !messages.get(place)?.includes(part))
    const surprising = [...messages].filter(([place]) => !expected.has(place))
    expect(surprising).toEqual([])
    expect(wrong.map(([place, part]) => ({ place, part, got: messages.get(place) }))).toEqual([])
    expect(expected.size).toBeGreaterThan(100)
  })
})
