import { mkdirSync, symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createTestProject, type TestProject } from '../testing/project.ts'

/** Functions and problems, as `name` and `CODE file`. */
async function scanned(files: Record<string, string>, prepare?: (project: TestProject) => void) {
  using project = createTestProject(files)
  prepare?.(project)
  await project.scan()
  return [
    ...project.functions().map(({ exportPath }) => exportPath),
    ...project.problems().map(({ code, at }) => `${code} ${at?.file}`),
  ]
}

const barrel = `export { remote as default } from 'unplugin-flash'`
const named = `export { remote } from 'unplugin-flash'\nexport { remote as gpu } from 'unplugin-flash'`
const use = (from: string) => `import gpu from '${from}'\nexport const one = gpu({}, async () => 1)`

describe('a function made with the default export of a module', () => {
  for (const [module, user, from] of [
    ['src/flash/index.ts', 'src/flash/jobs.ts', '.'],
    ['src/flash/index.ts', 'src/flash/jobs.ts', './'],
    ['src/flash/index.ts', 'src/flash/jobs.ts', './index'],
    ['src/flash/index.ts', 'src/flash/jobs.ts', './index.ts'],
    ['src/flash/index.ts', 'src/flash/jobs/a.ts', '..'],
    ['src/flash/index.ts', 'src/flash/jobs/all/a.ts', '../..'],
    ['src/flash/index.ts', 'src/jobs.ts', './flash'],
    ['src/index.ts', 'src/jobs.ts', './index'],
    ['src/index.ts', 'src/jobs.ts', '@/'],
    ['src/flash.ts', 'src/jobs.ts', './flash'],
  ] as const) {
    test(`${module} imported by ${user} as ${from}`, async () => {
      using project = createTestProject({ [module]: barrel, [user]: use(from) })
      await project.scan()
      expect(project.functions().map(({ exportPath }) => exportPath)).toEqual(['one'])
      expect(project.aliases().some((text) => use(from).includes(text))).toBe(true)
    })
  }

  test('of a package, by its name', async () => {
    const files = {
      'packages/kit/package.json': '{ "name": "@scope/kit" }',
      'packages/kit/src/index.ts': barrel,
      'packages/kit/src/main/other.ts': barrel,
      'src/a.ts': use('@scope/kit'),
      'src/b.ts': use('@scope/kit/made').replace('one', 'two'),
    }
    const found = await scanned(files, ({ path }) => {
      mkdirSync(path('node_modules/@scope'), { recursive: true })
      symlinkSync(path('packages/kit/src'), path('node_modules/@scope/kit'))
      symlinkSync(path('packages/kit/src/main/other.ts'), path('packages/kit/src/made.ts'))
    })
    expect(found).toEqual(['one', 'two'])
  })

  test('behind a long comment', async () => {
    const code = use('./flash').replace('from ', `from /* ${'long '.repeat(200)} */ `)
    expect(await scanned({ 'src/flash.ts': barrel, 'src/jobs.ts': code })).toEqual(['one'])
  })

  test('as a member of a namespace that another module exports', async () => {
    const found = await scanned({
      'src/flash.ts': barrel,
      'src/a.ts': `export * as first from './flash'\nexport * as words from './words'`,
      'src/words.ts': 'export default 1',
      'src/b.ts': `import * as second from './flash'\nexport { second }`,
      'src/c.ts': `import { first } from './a'\nexport const one = first.default({}, async () => 1)`,
      'src/d.ts': `import { second } from './b'\nexport const two = second.default({}, async () => 2)`,
    })
    expect(found).toEqual(['one', 'two'])
  })

  test('with a config that a call makes', async () => {
    const code = `import gpu from './flash'\nconst make = () => ({})\nexport const one = gpu(make(), async () => 1)`
    expect(await scanned({ 'src/flash.ts': barrel, 'src/jobs.ts': code })).toEqual(['one'])
  })

  test('which is `endpoint`', async () => {
    const found = await scanned({
      'src/flash.ts': barrel.replace('remote', 'endpoint'),
      'src/jobs.ts': `import make from './flash'\nconst api = make({ name: 'items' })\nexport const one = api.get('/one', () => 1)`,
    })
    expect(found).toEqual(['api.GET /one'])
  })
})

describe('a route elsewhere is refused', () => {
  const owner = `import { endpoint } from 'unplugin-flash'\nconst api = endpoint({ name: 'items' })\nexport default api`
  for (const [what, code] of [
    ['by its folder', `import server from '.'\nexport const add = server.post('/x', () => 1)`],
    [
      'through a namespace',
      `import { all } from './all'\nexport const add = all.default.post('/x', () => 1)`,
    ],
    ['as a value', `import server from './index.ts'\nexport const { post } = server`],
  ] as const) {
    test(what, async () => {
      const files = {
        'src/api/index.ts': owner,
        'src/api/all.ts': `export * as all from '.'`,
        'src/api/use.ts': code,
      }
      expect(await scanned(files)).toEqual(['BAD_ROUTE src/api/use.ts'])
    })
  }
})

describe('a word of ours is refused as a value', () => {
  for (const [what, code] of [
    ['a member', `import * as flash from './flash'\nconst make = flash.remote\n`],
    ['a member on its own line', `import * as flash from './flash'\nconst make = flash\n  .remote\n`],
    ['a member by its text', `import * as flash from './flash'\nconst make = flash['remote']\n`],
    ['a member under another name', `import * as flash from './flash'\nconst { remote: make } = flash\n`],
    ['a renamed member', `import * as flash from './flash'\nconst make = flash.gpu\n`],
    ['a renamed member of a pattern', `import * as flash from './flash'\nconst { gpu: make } = flash\n`],
    ['a renamed import', `import { gpu } from './flash'\nconst make = gpu\n`],
    ['a default import', `import gpu from './own'\nconst make = gpu\n`],
    ['a default member', `import * as own from './own'\nconst make = own.default\n`],
  ] as const) {
    test(what, async () => {
      const files = { 'src/flash.ts': named, 'src/own.ts': barrel }
      const made = 'export const one = make({}, async () => 1)'
      expect(await scanned({ ...files, 'src/use.ts': code + made })).toEqual(['REMOTE_AS_VALUE src/use.ts'])
    })
  }
})

test('what only reads like ours is left alone', async () => {
  const files = {
    'src/flash.ts': `${named}\n${barrel}`,
    'src/words.ts':
      'export const gpu = 1\nexport const remote = { origin: 2 }\nexport default { gpu, task: 3 }',
    'src/a.ts': `import words, { gpu, remote } from './words'\nexport const all = [gpu, remote.origin, words.gpu, words.task]`,
    'src/b.ts': `import * as words from './words'\nconst { gpu: one, remote: two } = words\nexport const all = [one, two, words.default]`,
  }
  expect(await scanned(files)).toEqual([])
})
