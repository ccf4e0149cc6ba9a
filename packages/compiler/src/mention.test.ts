import { describe, expect, test } from 'vitest'
import { mentions } from './mention.ts'

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
    [`import make from './thirdly'`, false],
    [`import make from './a-third'`, false],
    [`import { items } from './third/items'`, false],
    [`const third = '/third'`, false],
  ] as const) {
    test(`is ${wanted ? '' : 'not '}in ${code}`, () => expect(mentions(code, ['/third'])).toBe(wanted))
  }
})
