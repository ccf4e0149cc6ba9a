import { expect, test } from 'vitest'
import { findRemovedText, piecesOf } from './leaks.ts'
import { createTestProject } from './testing/project.ts'

async function removedFrom(code: string): Promise<string[]> {
  using project = createTestProject({ 'src/a.ts': code })
  await project.scan()
  const analysis = await project.analyze(code, project.path('src/a.ts'))
  return [...findRemovedText(analysis!)].sort()
}

test('tells the text of bodies, configs and of what only they use', async () => {
  const removed = await removedFrom(`import { remote } from 'unplugin-flash'
const PROMPT = 'you are a careful reader'
const TITLE = 'shown in the page as well'
console.log(TITLE)
export const a = remote({ name: 'some-endpoint-name' }, async (x: string) => {
  const short = 'too short'
  return PROMPT + TITLE + \`first line of a template
second line of a template \${x}\` + "a line with \\n an escape in it" + short
})
`)
  expect(removed).toEqual([
    'an escape in it',
    'first line of a template',
    'second line of a template',
    'some-endpoint-name',
    'you are a careful reader',
  ])
})

test('tells the text of handlers, schemas, hooks and web apps', async () => {
  const removed = await removedFrom(`import { endpoint } from 'unplugin-flash'
const api = endpoint({ name: 'some-endpoint-name' })
export const a = api.get('/stays/in/pages', async () => 'text of a handler', { query: 'text of a schema' })
api.get('/silent/in/pages', async () => 'text of a statement')
export const b = api.ws('/live/in/pages', { open: () => 'text of the hooks' })
export const c = endpoint({ name: 'another-name' }, { fetch: () => 'text of the app' })
`)
  expect(removed).toEqual([
    '/silent/in/pages',
    'another-name',
    'some-endpoint-name',
    'text of a handler',
    'text of a schema',
    'text of a statement',
    'text of the app',
    'text of the hooks',
  ])
})

test('finds the same pieces in what bundlers make of them', () => {
  const bundled = `const a="an escape in it",b=\`first line of a template\\nsecond line of a template \${x}\`;'you are a careful reader'`
  const pieces = piecesOf(bundled)
  for (const piece of ['an escape in it', 'you are a careful reader', 'first line of a template'])
    expect(pieces).toContain(piece)
  expect(piecesOf(JSON.stringify({ sourcesContent: ["const p = 'you are a careful reader'"] }))).toContain(
    'you are a careful reader',
  )
})

test('a template that is no text at all has none', async () => {
  const removed = await removedFrom(`import { remote } from 'unplugin-flash'
export const a = remote({}, async () => String.raw\`\\u{unfinished and unreadable}\` + 42)
`)
  expect(removed).toEqual([])
})
