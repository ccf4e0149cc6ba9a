import { describe, expect, test } from 'vitest'
import { mayContain } from './detect.ts'
import { mentions, wordsOfModule } from './mention.ts'

const MEBIBYTE = 2 ** 20

describe('a name that another module exports', () => {
  for (const [word, code, wanted] of [
    ['api', `import { api } from './x'`, true],
    ['api', `import {api} from './x'`, true],
    ['api', `import { other, api as own } from './x'`, true],
    ['api', `import { 'api' as own } from './x'`, true],
    ['api', `import {/* why */api/* not */} from './x'`, true],
    ['api', `import { api// why\n} from './x'`, true],
    ['api', `export { api as items } from './x'`, true],
    ['api', 'all.api.get(path, read)', true],
    ['api', `all['api'].get(path, read)`, true],
    ['api', 'all[`api`].get(path, read)', true],
    ['api', 'const { api } = all', true],
    ['api', `import { \\u0061pi } from './x'`, true],
    ['api', `import { a\\u{070}i } from './x'`, true],
    ['api', `all['\\x61pi']`, true],
    ['$api', `import { $api } from './x'`, true],
    ['api$', 'all.api$.get(path, read)', true],
    ['a.b', `import { 'a.b' as own } from './x'`, true],
    ['äpi', `import { äpi } from './x'`, true],
    ['api', 'rapid(apiary, apis)', false],
    ['api', 'const $api = api$', false],
    ['$api', 'const $$api = api', false],
    ['api', 'const éapi = apié', false],
    ['api', `fetch('/api/items', { headers: { 'x-api-key': key } })`, false],
    ['api', `import { load } from '@/api/items'`, false],
    ['api', `import { load } from '../api'`, false],
    ['a.b', 'a+b', false],
    ['api', `'\\u{ffffff}'`, false],
  ] as const) {
    test(`${word} is ${wanted ? '' : 'not '}in ${code}`, () => expect(mentions(code, [word])).toBe(wanted))
  }
})

describe('the default export of a module', () => {
  for (const [code, wanted] of [
    [`import make from './third'`, true],
    [`import make from "../third/index.js"`, true],
    ['import make from "@/third.ts"', true],
    [`import make from '$third'`, true],
    [`import make from 'third'`, true],
    [`export { default as make } from './third/'`, true],
    [`await import(/* webpackChunkName: 'x' */ './third')`, true],
    [`import make from './thi\\u0072d'`, true],
    [`import make from /* ${'long '.repeat(200)} */ './third'`, true],
    [`import make from './thirdly'`, false],
    [`import make from './a-third'`, false],
    [`import { items } from './third/items'`, false],
    [`const third = '/third'`, false],
  ] as const) {
    test(`is ${wanted ? '' : 'not '}in ${code}`, () => expect(mentions(code, ['/third'])).toBe(wanted))
  }
})

describe('the default export of an index', () => {
  const words = wordsOfModule('/app/packages/kit/src/index.ts', {
    package: '@scope/kit-name',
    path: 'src/index.ts',
  })
  for (const [specifier, wanted] of [
    ['.', true],
    ['..', true],
    ['./', true],
    ['../', true],
    ['../..', true],
    ['./index', true],
    ['./index.ts?raw', true],
    ['@/index', true],
    ['@', true],
    ['~/', true],
    ['../src', true],
    ['@scope/kit-name', true],
    ['kit-name/jobs', true],
    ['../../kit', true],
    ['./indexes', false],
    ['./items', false],
    ['@scope/items', false],
    ['..items', false],
  ] as const) {
    test(`is ${wanted ? '' : 'not '}imported as ${specifier}`, () => {
      expect(mentions(`import make from '${specifier}'`, words)).toBe(wanted)
    })
  }

  test('is in no text without imports', () => expect(mentions(`text.split('.')`, words)).toBe(false))
})

test('the words of another module are its name, and where its package is imported', () => {
  expect(wordsOfModule('/app/src/third.ts', { package: 'app', path: 'src/third.ts' })).toEqual([
    '/third',
    '/app/',
    '/app',
  ])
  expect(wordsOfModule('/third.ts', { package: '', path: 'third.ts' })).toEqual(['/third'])
})

describe('hostile text costs no more than its length', () => {
  const words = ['api', '/third', '/kit/', '/']
  for (const part of [
    'from/*',
    'import ',
    'from "',
    '/index',
    '["',
    '. ',
    '[ ',
    'remote]',
    'task ',
    '\\u{0',
    '/*',
    '"/@~',
  ]) {
    for (const [what, text] of [
      ['repeated', part.repeat(MEBIBYTE / part.length)],
      ['with a long end', `import ${part}${part.at(-1)!.repeat(MEBIBYTE)}`],
    ] as const) {
      test(`${JSON.stringify(part)} ${what}`, () => {
        expect(Math.min(...[1, 2, 3].map(() => processorMs(() => mayContain(text, words))))).toBeLessThan(200)
      })
    }
  }
})

/** Time on the clock would be that of everything else that runs. */
function processorMs(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
