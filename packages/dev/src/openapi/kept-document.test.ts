import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { DocumentSources } from './document.ts'
import { createKeptDocument } from './kept-document.ts'
import { readPageFile } from './files.ts'
import { readProjectInfo } from './project-info.ts'

const root = mkdtempSync(join(tmpdir(), 'flash-info-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('the document is made once for each table, and again after a failure', async () => {
  let table: DocumentSources['table'] = { routes: [], balanced: [] }
  let failing = false
  const document = createKeptDocument(() => ({
    table,
    signature: async () => null,
    schemas: async () => {
      if (failing) throw new Error('not now')
      return new Map()
    },
    title: 'app',
    version: '1.0.0',
  }))
  const first = await document()
  expect(await document()).toBe(first)
  table = { routes: [], balanced: [] }
  failing = true
  await expect(document()).rejects.toThrow('not now')
  failing = false
  const second = await document()
  expect(second).toEqual(first)
  expect(second).not.toBe(first)
})

for (const [what, text, info] of [
  ['no package.json', null, { title: basename(root), version: '0.0.0' }],
  ['a name and a version', '{ "name": "shop", "version": "2.1.0" }', { title: 'shop', version: '2.1.0' }],
  ['neither', '{ "name": 1, "version": "" }', { title: basename(root), version: '0.0.0' }],
  ['no object', 'null', { title: basename(root), version: '0.0.0' }],
  ['no JSON', '{', { title: basename(root), version: '0.0.0' }],
] as const) {
  test(`a document of a project with ${what}`, () => {
    if (text !== null) writeFileSync(join(root, 'package.json'), text)
    expect(readProjectInfo(root)).toEqual(info)
  })
}

test('files of the page are those beside the program', async () => {
  writeFileSync(join(root, 'swagger-ui.css'), 'a {}')
  expect((await readPageFile('swagger-ui.css', root)).toString()).toBe('a {}')
})
