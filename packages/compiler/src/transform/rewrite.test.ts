import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { describe, expect, test } from 'vitest'
import {
  analyzeWithFacts,
  diskHost,
  expectValid,
  fixtures,
  freeNames,
  listFolders,
  memoryHost,
  rolesOf,
} from './fixture.ts'
import { rewriteModule } from './rewrite.ts'

const host = diskHost(fixtures)
/** Globals that output may use. */
const ours = new Set(['Object', 'undefined'])

for (const name of listFolders(fixtures).filter((folder) => folder !== 'errors')) {
  const folder = join(fixtures, name)
  const input = readdirSync(folder).find((file) => file.startsWith('input.') && !file.includes('.snap.'))!
  const file = join(folder, input)
  const code = readFileSync(file, 'utf8')

  describe(`fixture ${name}`, async () => {
    const analysis = await analyzeWithFacts(code, file, host)
    for (const [role, wanted] of Object.entries(rolesOf(analysis))) {
      const output = rewriteModule(analysis, wanted)

      test(`role ${role}`, async () => {
        expectValid(output.code, file)
        const known = freeNames(code, file)
        expect(
          [...freeNames(output.code, file)].filter((name) => !known.has(name) && !ours.has(name)),
        ).toEqual([])
        await expect(output.code).toMatchFileSnapshot(join(folder, `${role}.snap${extname(input)}`))
      })

      test(`map of role ${role}`, () => {
        expect(tracedMarks(output.code, output.map)).toEqual(marks(output.code).map(({ text }) => text))
        const [content] = output.map.sourcesContent!
        expect(content).toBe(role === 'client' ? output.code : code)
      })
    }

    test('warnings', async () => {
      const text = analysis.warnings.map(
        ({ code, message, at, frame }) => `${code} ${at!.line}:${at!.column} ${message}\n${frame}\n`,
      )
      if (text.length > 0)
        await expect(text.join('\n')).toMatchFileSnapshot(join(folder, 'warnings.snap.txt'))
      else expect(readdirSync(folder)).not.toContain('warnings.snap.txt')
    })

    for (const [what, vary] of Object.entries(variants)) {
      test(what, async () => {
        const variant = vary.to(code)
        const again = await analyzeWithFacts(variant, file, host)
        const roles = rolesOf(again)
        for (const [role, wanted] of Object.entries(rolesOf(analysis))) {
          const output = rewriteModule(again, roles[role]!)
          expectValid(output.code, file)
          expect(normal(vary.from(output.code))).toBe(normal(rewriteModule(analysis, wanted).code))
        }
      })
    }
  })

  function tracedMarks(output: string, map: { toString(): string }): string[] {
    const trace = new TraceMap(map.toString())
    const lines = code.split('\n')
    return marks(output).map(({ line, column, text }) => {
      const original = originalPositionFor(trace, { line, column })
      return lines[(original.line ?? 1) - 1]!.slice(
        original.column ?? 0,
        (original.column ?? 0) + text.length,
      )
    })
  }
}

/** Ways to write the same text; none of them may change what becomes of it. */
const variants: Record<string, { to(code: string): string; from(output: string): string }> = {
  'with CRLF': {
    to: (code) => code.replaceAll('\n', '\r\n'),
    from: (output) => output.replaceAll('\r\n', '\n'),
  },
  'without a final line break': { to: (code) => code.trimEnd(), from: (output) => output },
  'with a byte order mark': {
    to: (code) => (code.startsWith('#!') ? code : `\uFEFF${code}`),
    from: (output) => output.replace(/^\uFEFF/, ''),
  },
}

/** Line numbers are those of the same text, and only blank lines may differ at the end. */
function normal(code: string): string {
  return code.trimEnd().replaceAll(/\n{2,}/g, '\n')
}

/** Marked identifiers of the source; those in literals that we write are none. */
function marks(code: string): { text: string; line: number; column: number }[] {
  return code.split('\n').flatMap((content, index) =>
    [...content.matchAll(/(?<!["-])\bmark_\w+/g)].map((match) => ({
      text: match[0],
      line: index + 1,
      column: match.index,
    })),
  )
}

test('comments behind a route that nobody calls go with it, all of them', async () => {
  const code = `import { endpoint } from 'unplugin-flash'
const api = endpoint({ name: 'items' })
api.get('/a', () => 1) /* one */ /* two */ // three
api.get('/b', () => 1); /* four */ export const page = 1 // five
`
  const analysis = await analyzeWithFacts(code, '/src/module.ts', memoryHost({}))
  const { code: text } = rewriteModule(analysis, { kind: 'client', tag: () => 'tag' })
  expect(text).toBe(' /* four */ export const page = 1 // five\n')
})
