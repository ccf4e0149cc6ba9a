import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { analyzeWithFacts, expectValid, freeNames, memoryHost } from './fixture.ts'
import { rewriteModule } from './rewrite.ts'

/** A module as a graph: what is written is made from it, and what must be left is computed from it. */
interface Sample {
  helpers: { form: number; refs: number[]; exported: boolean }[]
  remotes: { form: number; refs: number[]; configRefs: number[]; kept: boolean }[]
  pages: { form: number; refs: number[] }[]
  order: number[]
  style: { newline: string; semicolon: string; quote: string; mark: string }
}

const HELPERS = 6
const IMPORTS = 4
/** Helpers first, imports behind them. */
const refs = fc.uniqueArray(fc.nat(HELPERS + IMPORTS - 1), { maxLength: 3 })

const sample: fc.Arbitrary<Sample> = fc.record({
  helpers: fc.array(fc.record({ form: fc.nat(4), refs, exported: fc.boolean() }), {
    minLength: HELPERS,
    maxLength: HELPERS,
  }),
  remotes: fc.array(fc.record({ form: fc.nat(8), refs, configRefs: refs, kept: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  pages: fc.array(fc.record({ form: fc.nat(2), refs }), { maxLength: 3 }),
  order: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20 }),
  style: fc.record({
    newline: fc.constantFrom('\n', '\r\n'),
    semicolon: fc.constantFrom('', ';'),
    quote: fc.constantFrom("'", '"', '`'),
    mark: fc.constantFrom('', '🧾', 'ü'),
  }),
})

const globals = new Set(['Object', 'make', 'show'])
const nameOf = (ref: number) => (ref < HELPERS ? `helper${ref}` : `import${ref - HELPERS}`)

function write({ helpers, remotes, pages, order, style }: Sample): string {
  const { quote, semicolon, newline, mark } = style
  const text = (what: string) => `${quote}${mark}${what}_text${quote}`
  const list = (what: string, items: number[]) => `[${[text(what), ...items.map(nameOf)].join(', ')}]`
  const statements = [
    ...helpers.map(({ form, refs, exported }, index) => {
      const [name, value, lead] = [nameOf(index), list(`helper${index}`, refs), exported ? 'export ' : '']
      return [
        `${lead}const ${name} = () => ${value}`,
        `${lead}function ${name}() { return ${value} }`,
        `${lead}class ${name} { value = ${value} }`,
        `${lead}const { ${name} } = make(${value})`,
        `${lead}let ${name} = ${value}, other${index}`,
      ][form]!
    }),
    ...remotes.map(({ form, refs, configRefs }, index) => {
      const body = list(`body${index}`, refs)
      const config = `{ name: ${text(`config${index}`)}, setup: () => ${list(`setup${index}`, configRefs)} }`
      const call = (fn: string) => `remote(${config}, ${fn})`
      const api = `const api${index} = endpoint(${config})${semicolon || '\n'}`
      return [
        `export const remote${index} = ${call(`async () => ${body}`)}`,
        `const remote${index} = ${call(`async function* (x = ${body}) { yield x }`)}`,
        `export const remote${index} = { deep: { call: ${call(`class { run() { return ${body} } }`)} } }`,
        `export const remote${index} = (${call(`(async () => ${body}) as any`)})!`,
        `const remote${index} = ${call(`async () => { const inner = () => ${body}; return inner() }`)}${semicolon || '\n'}export { remote${index} as public${index} }`,
        `${api}export const remote${index} = api${index}.get('/${index}/:id', async () => ${body}, { query: ${body} })`,
        `export ${api}api${index}.post('/${index}', async function* () { yield ${body} })`,
        `${api}export const remote${index} = { live: api${index}.ws('/${index}', { open: () => ${body} }) }`,
        `export const remote${index} = endpoint(${config}, { fetch: () => ${body} })`,
      ][form]!
    }),
    ...pages.map(({ form, refs }, index) => {
      const value = list(`page${index}`, refs)
      return [
        `export function page${index}() { return ${value} }`,
        `show(${value})`,
        `export default ${value}`,
      ][form === 2 && pages.findIndex((page) => page.form === 2) !== index ? 0 : form]!
    }),
  ]
  const shuffled = statements.map((statement, index) => ({ statement, key: order[index % order.length]! }))
  shuffled.sort((a, b) => a.key - b.key)
  const specifiers = Array.from({ length: IMPORTS }, (_, index) => nameOf(HELPERS + index))
  const head = [
    `import { endpoint, remote } from 'unplugin-flash'`,
    `import ${specifiers[0]}, { named as ${specifiers[1]} } from './module01'`,
    `import * as ${specifiers[2]} from './module2'`,
    `import { ${specifiers[3]} } from './module3'`,
  ]
  return [...head, ...shuffled.map(({ statement }) => statement)]
    .map((line) => line + semicolon)
    .join(newline)
}

/** Everything that `start` leads to, itself included. */
function closure({ helpers }: Sample, start: number[]): Set<number> {
  const found = new Set(start)
  for (const ref of found) for (const next of helpers[ref]?.refs ?? []) found.add(next)
  return found
}

const all = Array.from({ length: HELPERS + IMPORTS }, (_, ref) => ref)

function keptInPage(model: Sample): number[] {
  const { helpers, remotes, pages } = model
  const mentioned = closure(
    model,
    remotes.flatMap(({ refs, configRefs }) => [...refs, ...configRefs]),
  )
  const roots = all.filter((ref) => !mentioned.has(ref) || helpers[ref]?.exported)
  const live = closure(model, [...roots, ...pages.flatMap(({ refs }) => refs)])
  return all.filter((ref) => live.has(ref))
}

const analyze = (model: Sample) => analyzeWithFacts(write(model), '/src/module.ts', memoryHost({}))

function has(code: string, ref: number): boolean {
  return ref < HELPERS
    ? code.includes(`${nameOf(ref)}_text`)
    : new RegExp(`import .*\\b${nameOf(ref)}\\b`).test(code)
}

test('a page never gets the text of a body, of a config, or of what only they use', async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (model) => {
      const { code, map } = rewriteModule(await analyze(model), { kind: 'client', tag: () => 'tag' })
      expectValid(code, '/out.ts')
      expect([...freeNames(code, '/out.ts')].filter((name) => !globals.has(name))).toEqual([])
      const everything = code + map.toString()
      expect(everything).not.toMatch(/(?:body|config|setup)\d_text/)
      const kept = keptInPage(model)
      for (const ref of all) {
        expect([nameOf(ref), has(code, ref)]).toEqual([nameOf(ref), kept.includes(ref)])
        if (ref < HELPERS && !kept.includes(ref)) expect(everything).not.toContain(`${nameOf(ref)}_text`)
      }
      for (const index of model.pages.keys()) expect(code).toContain(`page${index}_text`)
    }),
    { numRuns: 300 },
  )
})

test('a worker gets its functions with what they use, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (model) => {
      const analysis = await analyze(model)
      const isKept = (exportPath: string) => model.remotes[Number(/\d/.exec(exportPath)![0])]!.kept
      const { code } = rewriteModule(analysis, {
        kind: 'worker',
        keeps: ({ exportPath }) => isKept(exportPath),
      })
      expectValid(code, '/out.ts')
      expect([...freeNames(code, '/out.ts')].filter((name) => !globals.has(name))).toEqual([])
      const kept = model.remotes.filter(({ kept }) => kept)
      const needed = closure(
        model,
        kept.flatMap(({ refs, configRefs }) => [...refs, ...configRefs]),
      )
      for (const ref of all) expect([nameOf(ref), has(code, ref)]).toEqual([nameOf(ref), needed.has(ref)])
      for (const [index, { kept }] of model.remotes.entries())
        expect(code.includes(`body${index}_text`)).toBe(kept)
      expect(code).not.toMatch(/page\d_text/)
    }),
    { numRuns: 300 },
  )
})

test('the slice for configs has no body, no setup and nothing that only they use', async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (model) => {
      const { code } = rewriteModule(await analyze(model), { kind: 'index' })
      expectValid(code, '/out.ts')
      expect(code).not.toMatch(/(?:body|setup|page|helper)\d_text|\bimport\b/)
      for (const index of model.remotes.keys()) expect(code).toContain(`config${index}_text`)
    }),
    { numRuns: 100 },
  )
})
