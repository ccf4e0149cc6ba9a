import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createProject } from '../project.ts'
import { createTestProject, type TestProject } from '../testing/project.ts'

const head = `import { remote } from 'unplugin-flash'\n`

/** What the worker of an endpoint wants, with files as the project names them. */
async function demandOf(project: TestProject, name: string): Promise<Record<string, string[]>> {
  const demand = await project.demand(name)
  return Object.fromEntries(
    [...demand]
      .map(([file, names]) => [file.slice(project.root.length + 1), [...names].sort()] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )
}

const shared = `${head}export const limit = 3
export const unused = 4
export default class Page {}
export const size = remote({ name: 'size' }, async () => 1)`

describe('what a worker wants of other files with functions', () => {
  for (const [what, statement, wanted] of [
    ['a name', `import { limit } from './shared'`, ['limit']],
    [
      'two statements',
      `import { limit } from './shared'\nimport { unused } from './shared'`,
      ['limit', 'unused'],
    ],
    ['a renamed name', `import { limit as most } from './shared'`, ['limit']],
    ['the default', `import Page from './shared'`, ['default']],
    ['everything', `import * as limit from './shared'`, ['*']],
    ['only that it runs', `import './shared'`, ['']],
    ['a dynamic import', `const limit = () => import('./shared')`, ['*']],
  ] as const) {
    test(what, async () => {
      using project = createTestProject({
        'src/shared.ts': shared,
        'src/helper.ts': `${statement}\nexport const help = () => [${/\b(?:limit|Page|most)\b/.exec(statement)?.[0] ?? ''}]`,
        'src/a.ts': `${head}import { help } from './helper'\nexport const a = remote({ name: 'a' }, async () => help())`,
      })
      await project.scan()
      expect(await demandOf(project, 'a')).toEqual({ 'src/shared.ts': wanted })
    })
  }

  test('a re-export is followed, a type is not, nor what only another endpoint imports', async () => {
    using project = createTestProject({
      'src/shared.ts': shared,
      'src/types.ts': `${head}export type Kind = 1\nexport const kind = remote({ name: 'kind' }, async () => 1)`,
      'src/barrel.ts': `export { limit } from './shared'\nexport type { Kind } from './types'\nexport const own = 1`,
      'src/a.ts': `${head}import { limit } from './barrel'
import type { Kind } from './types'
import { data } from './data.json'
import { gone } from 'not-installed'
export const a = remote({ name: 'a' }, async (): Promise<Kind> => [limit, data, gone])
export const b = remote({ name: 'b' }, async () => 1)`,
      'src/data.json': '{}',
    })
    await project.scan()
    expect(await demandOf(project, 'a')).toEqual({ 'src/shared.ts': ['limit'] })
    expect(await demandOf(project, 'b')).toEqual({})
    expect(await demandOf(project, 'no such endpoint')).toEqual({})
  })

  test('a file that is asked for more is read again, for what that brings along', async () => {
    using project = createTestProject({
      'src/shared.ts': shared,
      'src/middle.ts': `${head}import { limit } from './shared'
export const first = 1
export const second = () => limit
export const middle = remote({ name: 'middle' }, async () => 1)`,
      'src/late.ts': `import { second } from './middle'\nexport const late = second`,
      'src/a.ts': `${head}import { first } from './middle'
import { late } from './late'
export const a = remote({ name: 'a' }, async () => [first, late])`,
    })
    await project.scan()
    expect(await demandOf(project, 'a')).toEqual({
      'src/middle.ts': ['first', 'second'],
      'src/shared.ts': ['limit'],
    })
  })
})

describe('what changed since it was asked for', () => {
  const helper = (text: string) => ({ 'src/helper.ts': text })
  const files = {
    'src/shared.ts': shared,
    ...helper(`import { limit } from './shared'\nexport const help = () => limit`),
    'src/a.ts': `${head}import { help } from './helper'\nexport const a = remote({ name: 'a' }, async () => help())`,
  }
  const edit = async (project: TestProject, text: string) => {
    project.write(helper(text))
    await project.update(project.path('src/helper.ts'))
    return project.changedDemand()
  }

  test('what could not be read in between is compared with what was told last', async () => {
    let isBroken = false
    const host = {
      load: async (file: string) => readFileSync(file, 'utf8'),
      async resolve(specifier: string, importer: string) {
        if (isBroken) throw new Error('the resolver fails')
        return specifier.startsWith('./') ? join(dirname(importer), `${specifier}.ts`) : null
      },
    }
    using project = createTestProject({ ...files, ...helper('export const help = () => 0') }, { host })
    await project.scan()
    expect(await demandOf(project, 'a')).toEqual({})
    isBroken = true
    expect(await edit(project, `import { limit } from './shared'\nexport const help = () => limit`)).toEqual(
      [],
    )
    isBroken = false
    expect(await project.changedDemand()).toEqual([project.path('src/shared.ts')])
  })

  test('nothing, before anybody asked and after an edit that wants the same', async () => {
    using project = createTestProject(files)
    await project.scan()
    expect(await project.changedDemand()).toEqual([])
    const before = await project.demand('a')
    expect(await project.demand('a')).toBe(before)
    expect(
      await edit(project, `import { limit } from './shared'\nexport const help = () => limit + 1`),
    ).toEqual([])
    expect(await project.demand('a')).not.toBe(before)
  })

  test('files of which more, less or nothing is wanted', async () => {
    using project = createTestProject(files)
    await project.scan()
    await project.demand('a')
    for (const [text, wanted] of [
      [
        `import { limit, unused } from './shared'\nexport const help = () => limit + unused`,
        ['limit', 'unused'],
      ],
      [`import { unused } from './shared'\nexport const help = () => unused`, ['unused']],
      [`export const help = () => 1`, undefined],
    ] as const) {
      expect(await edit(project, text)).toEqual([project.path('src/shared.ts')])
      expect((await demandOf(project, 'a'))['src/shared.ts']).toEqual(wanted)
    }
  })

  test('a host that fails fails the question, and not the same question later', async () => {
    using real = createTestProject(files)
    let isBusy = true
    const host = {
      async resolve(specifier: string) {
        if (isBusy && specifier === './shared') throw new Error('busy')
        return specifier.startsWith('./') ? real.path(`src/${specifier.slice(2)}.ts`) : null
      },
      load: async (file: string) => readFileSync(file, 'utf8'),
    }
    const project = createProject({ root: real.root, host })
    await project.scan()
    await expect(project.demand('a')).rejects.toThrow('busy')
    isBusy = false
    expect([...(await project.demand('a')).keys()]).toEqual([real.path('src/shared.ts')])
  })
})
