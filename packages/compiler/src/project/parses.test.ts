import { parseSync } from 'oxc-parser'
import { expect, test, vi } from 'vitest'
import { createTestProject } from '../testing/project.ts'

vi.mock('oxc-parser', { spy: true })

/** Files that are parsed while a project is read, as their names in `src`. */
async function parsedFiles(files: Record<string, string>): Promise<string[]> {
  using project = createTestProject(files)
  vi.mocked(parseSync).mockClear()
  await project.scan()
  expect(project.problems()).toEqual([])
  const names = vi.mocked(parseSync).mock.calls.map(([file]) => file.replace(`${project.root}/src/`, ''))
  return [...new Set(names)].sort()
}

const owner = `import { endpoint } from 'unplugin-flash'
export const api = endpoint({ name: 'items' })
export const read = api.get('/items', () => 1)`

/** Modules of which an `api` that another one exports is no business. */
const strangers = {
  'longer.ts': `import { rapid, apiary, therapist } from './words'\nexport const apis = [rapid, apiary, therapist]`,
  'path.ts': `export const load = (id: string) => fetch('/api/items/' + id, { headers: { 'x-api-key': id } })`,
  'specifier.ts': `import { items } from '@/api/items'\nimport type { Item } from '../api'\nexport const all: Item[] = items`,
  'dollar.ts': `export const $api = 1, api$ = 2, _api = 3`,
  'unicode.ts': `export const äpi = 1, apié = äpi, été_api = 2`,
}

test('a word that a module exports is looked for as a name, not as letters', async () => {
  const many = Object.entries(strangers).flatMap(([name, text]) =>
    Array.from({ length: 40 }, (_, index) => [`src/many/${index}-${name}`, text]),
  )
  const found = await parsedFiles({ 'src/owner.ts': owner, ...Object.fromEntries(many) })
  expect(found).toEqual(['owner.ts'])
})

test('the same goes for a default export, which is looked for in imports', async () => {
  const files = {
    'src/api.ts': `${owner}\nexport default api`.replace('export const api', 'const api'),
    'src/other/index.ts': `import own from '../api'\nexport type Own = typeof own`,
    'src/longer.ts': strangers['longer.ts'],
    'src/path.ts': strangers['path.ts'],
    'src/below.ts': `import { items } from './api/items'\nexport const api = items`,
  }
  expect(await parsedFiles(files)).toEqual(['api.ts', 'other/index.ts'])
})

for (const [what, code] of [
  ['an escape', `import { \\u0061pi as own } from './owner'\nexport const add = own.post('/x', () => 1)`],
  ['a template', "import * as all from './owner'\nexport const add = all[`api`].post('/x', () => 1)"],
  ['a text', `import { 'api' as own } from './owner'\nexport const add = own.post('/x', () => 1)`],
] as const) {
  test(`a route elsewhere is found through ${what}`, async () => {
    using project = createTestProject({ 'src/owner.ts': owner, 'src/use.ts': code })
    await project.scan()
    expect(project.problems().map(({ code: kind, at }) => `${kind} ${at?.file}`)).toEqual([
      'BAD_ROUTE src/use.ts',
    ])
  })
}

test('a function is found whose words are written with escapes', async () => {
  using project = createTestProject({
    'src/flash.ts': `export { remote as $gpu } from 'unplugin\\u002dflash'`,
    'src/a.ts': `import { \\u0024gpu as run } from './flash'\nexport const one = run({}, async () => 1)`,
    'src/b.ts': `export { $gpu as second } from './flash'`,
    'src/c.ts': `import { second } from './b'\nexport const two = second({}, async () => 2)`,
  })
  await project.scan()
  expect(project.functions().map(({ exportPath }) => exportPath)).toEqual(['one', 'two'])
})
