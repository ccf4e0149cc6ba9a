import { expect, test } from 'vitest'
import { createTestProject } from '../testing/project.ts'

const head = `import { endpoint } from 'unplugin-flash'\n`

/** The edges of a module that holds these clients. */
async function edgesOf(text: string, more: Record<string, string> = {}) {
  using project = createTestProject({ 'src/a.ts': head + text, ...more })
  await project.scan()
  return project.clientEdges(project.path('src/a.ts'))
}

test('clients are told by what their configs say', async () => {
  const clients = [
    `export const a = endpoint({ id: 'abc123' })`,
    `export const b = endpoint({ app: 'shop', name: 'ocr' })`,
    `export const c = endpoint({ app: 'shop', name: 'ocr', environment: 'production' })`,
    `export const d = endpoint({ image: 'acme/ocr:1', name: 'own' })`,
  ]
  expect(await edgesOf(clients.join('\n'))).toEqual([
    { label: 'id abc123', texts: ['abc123'] },
    { label: 'app shop/default/ocr', texts: ['shop', 'ocr'] },
    { label: 'app shop/production/ocr', texts: ['shop', 'ocr'] },
    { label: 'image acme/ocr:1 own', texts: ['acme/ocr:1', 'own'] },
  ])
})

test.each([
  ['an id that is only known when it runs', 'export const a = endpoint({ id: process.env.OTHER_ID })'],
  [
    'a name that is only known when it runs',
    `export const a = endpoint({ app: 'shop', name: process.env.NAME })`,
  ],
  [
    'an app that is only known when it runs',
    `export const a = endpoint({ app: process.env.APP, name: 'ocr' })`,
  ],
])('nothing is told of %s', async (_, text) => {
  expect(await edgesOf(text)).toEqual([])
})

test('nothing is told of a config in a file that cannot be read', async () => {
  const text = `import { other } from './other.ts'\nexport const a = endpoint({ id: other, app: 'shop' })`
  expect(await edgesOf(text, { 'src/other.ts': 'export const other = = 1' })).toEqual([])
})

test('other files have none', async () => {
  using project = createTestProject({ 'src/a.ts': 'export const a = 1', 'src/b.ts': `${head}let x = ` })
  await project.scan()
  expect(await project.clientEdges(project.path('src/a.ts'))).toEqual([])
  expect(await project.clientEdges(project.path('src/b.ts'))).toEqual([])
  expect(project.warnings()).toEqual([])
  expect(project.problems()).toMatchObject([{ code: 'SYNTAX_ERROR' }])
})
