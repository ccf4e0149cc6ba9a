import { AppError, type ResolvedEndpointConfig } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import type { ProjectOptions } from './project/options.ts'
import { createTestProject } from './testing/project.ts'

const define = {
  'import.meta.env.PROD': 'true',
  'import.meta.env.VITE_GPU': '"NVIDIA L4"',
  'process.env.NODE_ENV': '"production"',
  __GPU__: `'NVIDIA L4'`,
  __WORKERS__: 3,
  __BUILD__: '{ gpu: "NVIDIA L4", when: Date.now() }',
}

interface Case {
  /** The text before the call. */
  before?: string
  config: string
  files?: Record<string, string>
  options?: Partial<ProjectOptions>
}

async function read({
  before = '',
  config,
  files = {},
  options,
}: Case): Promise<ResolvedEndpointConfig | AppError> {
  const text = `import * as flash from 'unplugin-flash'\n${before}\nexport const run = flash.remote(${config}, async () => 1)\n`
  using project = createTestProject({ 'src/main.ts': text, ...files }, { define, ...options })
  await project.scan()
  const [fact] = project.functions()
  if (!fact) throw new Error(String(project.problems()))
  return await project.config(fact.endpoint).catch((error: unknown) => {
    if (error instanceof AppError) return error
    throw error
  })
}

const l4 = { compute: { names: ['NVIDIA L4'] } }
const constants = `export const gpu = 'NVIDIA L4'\nexport const base = { gpu, workers: [1, 3] } as const\nexport default { gpu }\n`

describe('configs that reading decides', () => {
  const cases: [what: string, found: Case, expected: object][] = [
    [
      'literals',
      { config: `{ gpu: 'NVIDIA L4', workers: [0, 3], flashboot: false, idleTimeoutSeconds: 5 }` },
      { ...l4, workers: { min: 0, max: 3 }, flashboot: false, idleTimeoutSeconds: 5 },
    ],
    ['an empty config', { config: '{}' }, { compute: { names: ['any'] } }],
    ['a constant', { before: `const gpu = 'NVIDIA L4'`, config: '{ gpu }' }, l4],
    [
      'a whole constant with types',
      { before: `const small = { gpu: 'NVIDIA L4' } as const satisfies object`, config: '(small!)' },
      l4,
    ],
    ['a template', { before: 'const model = `L${2 + 2}`', config: '{ gpu: `NVIDIA ${model}` }' }, l4],
    [
      'an imported constant',
      {
        before: `import { gpu } from './constants'`,
        config: '{ gpu }',
        files: { 'src/constants.ts': constants },
      },
      l4,
    ],
    [
      'a default import',
      { before: `import base from './constants'`, config: 'base', files: { 'src/constants.ts': constants } },
      l4,
    ],
    [
      'a namespace import',
      {
        before: `import * as all from './constants'`,
        config: '{ ...all.base, workers: 2 }',
        files: { 'src/constants.ts': constants },
      },
      { ...l4, workers: { min: 0, max: 2 } },
    ],
    [
      'barrels and an alias',
      {
        before: `import { small } from '@/barrel'`,
        config: 'small',
        files: {
          'src/constants.ts': constants,
          'src/barrel.ts': `export * from './second'`,
          'src/second.ts': `export { base as small } from './constants'`,
        },
      },
      { ...l4, workers: { min: 1, max: 3 } },
    ],
    [
      'a JSON file',
      {
        before: `import settings from './settings.json'`,
        config: '{ ...settings.small }',
        files: { 'src/settings.json': '{ "small": { "gpu": "NVIDIA L4" } }' },
      },
      l4,
    ],
    [
      'a key of a JSON file',
      {
        before: `import { small } from './settings.json'`,
        config: 'small',
        files: { 'src/settings.json': '{ "small": { "gpu": "NVIDIA L4" } }' },
      },
      l4,
    ],
    [
      'spreads, the last wins',
      {
        before: `const base = { gpu: 'NVIDIA A40', workers: 2 }`,
        config: `{ ...base, ...(false && { workers: 9 }), ...null, gpu: 'NVIDIA L4' }`,
      },
      { ...l4, workers: { max: 2 } },
    ],
    [
      'lists',
      {
        before: `const more = ['a', 'b']`,
        config: `{ dependencies: ['x', ...more], systemDependencies: [more[1] + 'c'] }`,
      },
      { dependencies: ['x', 'a', 'b'], systemDependencies: ['bc'] },
    ],
    [
      'members',
      {
        before: `const all = { big: { gpus: ['NVIDIA A40', 'NVIDIA L4'] } }; const key = 'big'`,
        config: `{ gpu: all[key].gpus[1] }`,
      },
      l4,
    ],
    [
      'optional members',
      {
        before: `const all: any = { none: null }`,
        config: `{ gpu: all.none?.gpu ?? 'NVIDIA L4', workers: all.missing?.max || 4 }`,
      },
      { ...l4, workers: { max: 4 } },
    ],
    [
      'lengths',
      {
        before: `const list = ['a', 'b']`,
        config: `{ workers: list.length + 'ab'.length, name: 'abc' + 'xyz'[1] }`,
      },
      { workers: { max: 4 }, name: 'abcy' },
    ],
    [
      'conditions on define',
      {
        config: `{ gpu: import.meta.env.PROD ? 'NVIDIA L4' : 'NVIDIA A40', workers: process.env.NODE_ENV !== 'production' ? 1 : 5 }`,
      },
      { ...l4, workers: { max: 5 } },
    ],
    [
      'a variable of import.meta.env',
      {
        config: `{ gpu: import.meta.env.VITE_GPU, name: import.meta.env.VITE_NAME ?? 'unset', workers: import.meta.env.DEV ? 1 : 2 }`,
      },
      { ...l4, name: 'unset', workers: { max: 2 } },
    ],
    [
      'the whole of import.meta.env',
      {
        config: `{ gpu: import.meta.env['VITE_GPU'], name: 'mode-' + import.meta.env.MODE }`,
        options: { mode: 'staging' },
      },
      { ...l4, name: 'mode-staging' },
    ],
    [
      'import.meta.env of the mode',
      { config: `{ gpu: import.meta.env.VITE_CARD }`, options: { env: { VITE_CARD: 'NVIDIA L4' } } },
      l4,
    ],
    ['defined names', { config: '{ gpu: __GPU__, workers: __WORKERS__ }' }, { ...l4, workers: { max: 3 } }],
    [
      'operators',
      {
        before: 'const n = 2',
        config: `{ workers: [+(n > 3), -(-n) * 3 - 1], maxConcurrency: n ** 3 % 5, flashboot: !(n < 1) && typeof n === 'number', idleTimeoutSeconds: (n << 3) | 1 }`,
      },
      { workers: { min: 0, max: 5 }, maxConcurrency: 3, flashboot: true, idleTimeoutSeconds: 17 },
    ],
    [
      'undefined counts as absent',
      { before: 'let nothing', config: '{ gpu: undefined, workers: nothing, name: void 0 }' },
      { compute: { names: ['any'] }, workers: { max: 1 }, name: null },
    ],
    ['a let that stays', { before: `let gpu = 'NVIDIA L4'`, config: '{ gpu }' }, l4],
    ['frozen objects', { before: `const base = Object.freeze({ gpu: 'NVIDIA L4' })`, config: 'base' }, l4],
    [
      'hardware names',
      {
        before: `import { GpuType, GpuGroup as Group } from 'unplugin-flash'`,
        config: `{ gpu: [GpuType.NVIDIA_L4, Group.ADA_24, flash.GpuGroup.AMPERE_24], dataCenters: flash.DataCenter.EU_RO_1 }`,
      },
      { compute: { names: ['NVIDIA L4', 'ADA_24', 'AMPERE_24'] }, dataCenters: ['EU-RO-1'] },
    ],
    [
      'our helpers',
      {
        before: `import { NetworkVolume } from 'unplugin-flash'\nconst weights = NetworkVolume({ name: 'weights', sizeGb: 50 })`,
        config: '{ volumes: weights, template: flash.PodTemplate({ diskGb: 20 }) }',
      },
      { volumes: [{ kind: 'network', name: 'weights', sizeGb: 50 }], diskGb: 20 },
    ],
    [
      'code is only noticed',
      {
        before: `import { load } from 'not-installed'`,
        config: `{ setup() { return load() }, input: load.schema, output: undefined }`,
      },
      { code: { setup: true, input: true, output: false } },
    ],
    [
      'computed keys',
      {
        before: `const key = 'gpu'`,
        config: `{ [key]: 'NVIDIA L4', ['work' + 'ers']: 2, 'name': 'quoted' }`,
      },
      { ...l4, workers: { max: 2 }, name: 'quoted' },
    ],
    [
      'a let that is read by others',
      {
        before: `let gpu = 'NVIDIA L4'\nexport const twice = (other = gpu) => { let base = 1; base = 2; return [gpu.length, base, other] }\nconst base = { gpu }`,
        config: 'base',
      },
      l4,
    ],
    [
      'a constant whose methods are called elsewhere',
      {
        before: `const cards = ['NVIDIA L4']\nexport const names = cards.map((card) => card.toLowerCase()).sort(), keys = Object.keys(cards), copy = structuredClone(cards)`,
        config: '{ gpu: cards }',
      },
      l4,
    ],
    [
      'an exported default object',
      {
        before: `import { settings } from './barrel'`,
        config: 'settings',
        files: {
          'src/barrel.ts': `export { default as settings } from './constants'`,
          'src/constants.ts': constants,
        },
      },
      l4,
    ],
    [
      'a namespace of our package',
      {
        before: `import * as all from './barrel'`,
        config: '{ gpu: all.ours.GpuGroup.ADA_24 }',
        files: { 'src/barrel.ts': `export * as ours from 'unplugin-flash'` },
      },
      { compute: { names: ['ADA_24'] } },
    ],
    [
      'a whole JSON namespace',
      {
        before: `import * as all from './all.json'`,
        config: '{ ...all }',
        files: { 'src/all.json': '{ "gpu": "NVIDIA L4" }' },
      },
      l4,
    ],
    [
      'members that are not there',
      {
        before: `const base: any = { deep: {} }`,
        config: `{ gpu: base.gpu ?? base.deep.gpu ?? base?.['gpu'] ?? 'NVIDIA L4', workers: [1, 2][5] ?? 3, name: 'abc'[9] }`,
      },
      { ...l4, workers: { max: 3 } },
    ],
    [
      'short circuits',
      {
        before: `const missing = null`,
        config: `{ gpu: (missing && 'x') || 'NVIDIA L4', flashboot: (true && false) ?? true, workers: [] && 2, ...(missing ?? { name: 'abc' }) }`,
      },
      { ...l4, flashboot: false, workers: { max: 2 }, name: 'abc' },
    ],
    [
      'not of anything',
      { before: `const base = {}; const f = () => 1`, config: `{ flashboot: !base || !!f }` },
      { flashboot: true },
    ],
    [
      'a constructor of ours',
      { config: `{ volumes: [new (flash as any).NetworkVolume({ id: 'abc' })] }` },
      { volumes: [{ id: 'abc' }] },
    ],
    [
      'variables of the machine that are listed',
      {
        config: `{ gpu: process.env.CARD, workers: process.env.NONE ? 1 : 7 }`,
        options: { configEnv: ['CARD', 'NONE'], variables: { CARD: 'NVIDIA L4' } },
      },
      { ...l4, workers: { max: 7 } },
    ],
  ]
  for (const [what, found, expected] of cases)
    test(what, async () => expect(await read(found)).toMatchObject(expected))

  test('conditional, spread and inherited options with a defined name', async () => {
    const found: Case = {
      before: `import { base } from './constants'`,
      config: `{ ...base, gpu: PROD ? 'NVIDIA H200' : 'NVIDIA L4' }`,
      files: { 'src/constants.ts': constants },
    }
    expect(await read({ ...found, options: { define: { PROD: 'true' } } })).toMatchObject({
      compute: { names: ['NVIDIA H200'] },
      workers: { min: 1 },
    })
    expect(await read({ ...found, options: { define: { PROD: 'false' } } })).toMatchObject({
      compute: { names: ['NVIDIA L4'] },
      workers: { min: 1 },
    })
  })
})

describe('configs that executing decides', () => {
  const cases: [what: string, found: Case, expected: object][] = [
    [
      'a function of the module',
      {
        before: `function pick(n: number) { return n > 1 ? 'NVIDIA A40' : 'NVIDIA L4' }`,
        config: '{ gpu: pick(1), workers: 2 }',
      },
      { ...l4, workers: { max: 2 } },
    ],
    [
      'an imported function',
      {
        before: `import { make } from '@/make'`,
        config: `make('NVIDIA L4')`,
        files: {
          'src/make.ts': `import os from 'node:os'\nexport const make = (gpu: string) => ({ gpu, workers: os.EOL.length && 2 })`,
        },
      },
      l4,
    ],
    [
      'methods of values',
      {
        before: `const cards = ['l4']`,
        config: `{ gpu: cards.map((card) => 'NVIDIA ' + card.toUpperCase()) }`,
      },
      l4,
    ],
    ['destructuring', { before: `const { gpu } = { gpu: 'NVIDIA L4' }`, config: '{ gpu }' }, l4],
    ['an enum', { before: `enum Card { Small = 'NVIDIA L4' }`, config: '{ gpu: Card.Small }' }, l4],
    ['a promise', { before: `const gpu = await Promise.resolve('NVIDIA L4')`, config: '{ gpu }' }, l4],
    [
      'a file beside the module',
      {
        before: `import { readFileSync } from 'node:fs'\nconst text = readFileSync(new URL('./gpu.txt', import.meta.url), 'utf8') + readFileSync(import.meta.dirname + '/more.txt', 'utf8')`,
        config: '{ gpu: text.trim() }',
        files: { 'src/gpu.txt': 'NVIDIA ', 'src/more.txt': 'L4\n' },
      },
      l4,
    ],
    [
      'raw text',
      {
        before: `import text from './gpu.txt?raw'`,
        config: '{ gpu: text.trim() }',
        files: { 'src/gpu.txt': 'NVIDIA L4\n' },
      },
      l4,
    ],
    [
      'define and import.meta.env inside',
      {
        before: `const pick = () => import.meta.env.PROD && __BUILD__.when ? __GPU__ : ''`,
        config: '{ gpu: pick() }',
      },
      l4,
    ],
    ['defined code', { config: '{ workers: __BUILD__.when > 0 ? 2 : 1 }' }, { workers: { max: 2 } }],
    [
      'listed variables only',
      {
        before: `const { CARD, SECRET = 'unset' } = process.env`,
        config: '{ gpu: CARD, name: SECRET }',
        options: { configEnv: ['CARD'], variables: { CARD: 'NVIDIA L4', SECRET: 'x' } },
      },
      { ...l4, name: 'unset' },
    ],
    [
      'hardware and helpers',
      {
        before: `import { GpuType, NetworkVolume } from 'unplugin-flash'\nconst make = () => ({ gpu: GpuType.NVIDIA_L4, volumes: NetworkVolume({ name: 'weights' }) })`,
        config: 'make()',
      },
      { ...l4, volumes: [{ kind: 'network', name: 'weights' }] },
    ],
    [
      'a package',
      {
        before: `import { gpu } from 'cards'`,
        config: '{ gpu: gpu() }',
        files: {
          'node_modules/cards/package.json': '{ "name": "cards", "main": "index.js" }',
          'node_modules/cards/index.js': `exports.gpu = () => require('./data').gpu`,
          'node_modules/cards/data.js': `exports.gpu = 'NVIDIA L4'`,
        },
      },
      l4,
    ],
    [
      'code of a shared constant is taken out, with the packages it needs',
      {
        before: `import { shared } from './shared'\nconst twice = (n: number) => n * 2`,
        config: '{ ...shared, workers: twice(2) }',
        files: {
          'src/shared.ts': `import load from 'not-installed'\nexport const shared = { gpu: 'NVIDIA L4', setup: () => load(), input: load.schema }`,
        },
      },
      { ...l4, workers: { max: 4 }, code: { setup: true, input: true, output: false } },
    ],
    [
      'a module with functions of its own gives its constants',
      {
        before: `import { gpu } from './other'\nconst same = (text: string) => text`,
        config: '{ gpu: same(gpu) }',
        files: {
          'src/other.ts': `import { remote } from 'unplugin-flash'\nimport heavy from 'not-installed'\nexport const gpu = 'NVIDIA L4'\nexport const other = remote({ name: 'other-one' }, async () => heavy())\nexport const Model = remote({ name: 'other-two' }, class { run() { return heavy() } })`,
        },
      },
      l4,
    ],
    [
      'code that a spread brings',
      { before: `const make = () => ({ setup: () => 1, gpu: 'NVIDIA L4' })`, config: '{ ...make() }' },
      { ...l4, code: { setup: true } },
    ],
    [
      'a throw away default',
      {
        before: `const pick = ({ gpu = 'NVIDIA L4' } = {}) => gpu`,
        config: '{ gpu: pick(), workers: (1, 2) }',
      },
      { ...l4, workers: { max: 2 } },
    ],
    [
      'keys that are computed by calls',
      { before: `const key = () => 'gpu'`, config: `{ gpu: 'x', [key()]: 'NVIDIA L4', name: 'kept' }` },
      { ...l4, name: 'kept' },
    ],
    [
      'keys that are objects',
      { before: `const key = { toString: () => 'gpu' } as any`, config: `{ [key]: 'NVIDIA L4' }` },
      l4,
    ],
    ['accessors', { config: `{ get gpu() { return 'NVIDIA L4' } }` }, l4],
    [
      'members by computed objects, of functions and of calls',
      {
        before: `const all: any = { x: 'NVIDIA' }; const f = () => 1; f.card = 'L4'; const key = () => 'x'`,
        config: '{ gpu: `${all[key()]} ${f.card}` }',
      },
      l4,
    ],
    [
      'spread of what is no object',
      {
        before: `const text = 'ab'; const set = new Set(['NVIDIA L4'])`,
        config: `{ ...(text as any).missing, gpu: [...set], systemDependencies: [...'ab'].map((x) => x + x) }`,
      },
      { ...l4, systemDependencies: ['aa', 'bb'] },
    ],
    [
      'operators on objects',
      {
        before: `const a = {}, b = {}`,
        config: `{ flashboot: a === b, name: typeof a + 'x' + -('5' as any), workers: ('x' in { x: 1 }) ? 2 : 3, maxConcurrency: Number(1n + 1n) }`,
      },
      { flashboot: false, name: 'objectx-5', workers: { max: 2 } },
    ],
    [
      'templates with objects, tagged templates',
      {
        before: `const list = ['NVIDIA']; const tag = (parts: any) => parts[0]`,
        config: '{ gpu: `${list} ${tag`L4`}` }',
      },
      l4,
    ],
    [
      'values through globals',
      {
        config: `{ gpu: String('NVIDIA L4'), workers: Math.max(1, 2), maxConcurrency: globalThis.Number('3') }`,
      },
      { ...l4, workers: { max: 2 }, maxConcurrency: 3 },
    ],
    [
      'optional calls and members of nothing',
      { before: `const none: any = undefined`, config: `{ gpu: none?.a.b ?? 'NVIDIA L4', ...none?.() }` },
      l4,
    ],
    [
      'a whole module as an object',
      {
        before: `import * as all from './constants'`,
        config: '{ ...all }',
        files: { 'src/constants.ts': `export const gpu = 'NVIDIA L4'` },
      },
      l4,
    ],
    [
      'a class and its statics',
      { before: `class Card { static small = 'NVIDIA L4' }`, config: '{ gpu: Card.small }' },
      l4,
    ],
    [
      'a file that is no module',
      {
        before: `import text from './name.txt?raw'\nimport { gpu } from './cards.cjs'`,
        config: '{ name: text, gpu }',
        files: { 'src/name.txt': 'raw-name', 'src/cards.cjs': `exports.gpu = 'NVIDIA L4'` },
      },
      { ...l4, name: 'raw-name' },
    ],
    [
      'a JSON file through a barrel',
      {
        before: `import { small } from './deep/barrel'`,
        config: 'small',
        files: {
          'src/deep/barrel.ts': `export { default as small } from './small.json'`,
          'src/deep/small.json': '{ "gpu": "NVIDIA L4" }',
        },
      },
      l4,
    ],
    [
      'the place of the module',
      {
        before: `const own = () => [import.meta.filename, import.meta.url, import.meta.dirname].map((text) => text.includes('/src')).join('-')`,
        config: '{ name: own(), gpu: (import.meta as any).other ?? "NVIDIA L4" }',
      },
      { ...l4, name: 'true-true-true' },
    ],
    [
      'what is printed does not matter',
      {
        before: `console.log('{}'); const pick = () => { console.log('hello'); return 'NVIDIA L4' }`,
        config: '{ gpu: pick() }',
      },
      l4,
    ],
    [
      'style sheets',
      {
        before: `import './page.css'\nconst pick = () => 'NVIDIA L4'`,
        config: '{ gpu: pick() }',
        files: { 'src/page.css': 'a {}' },
      },
      l4,
    ],
  ]
  for (const [what, found, expected] of cases)
    test(what, async () => expect(await read(found)).toMatchObject(expected))
})

describe('configs that cannot be decided', () => {
  const cases: [what: string, found: Case, text: string, place: string][] = [
    [
      'a variable that changes',
      { before: `let gpu = 'NVIDIA L4'\nif (Math.random() > 1) gpu = 'NVIDIA A40'`, config: '{ gpu }' },
      '`gpu` is changed in line 3',
      '4:35',
    ],
    [
      'an object that is changed',
      { before: `const base = { gpu: 'NVIDIA L4' }\nbase.gpu = 'NVIDIA A40'`, config: 'base' },
      '`base` is changed in line 3',
      '4:33',
    ],
    [
      'a list that grows',
      { before: `const cards = ['NVIDIA L4']\ncards.push('NVIDIA A40')`, config: '{ gpu: cards }' },
      '`cards` is changed',
      '4:40',
    ],
    [
      'an assignment by helper',
      { before: `const base = {}\nObject.assign(base, { gpu: 'NVIDIA L4' })`, config: '{ ...base }' },
      '`base` is changed',
      '4:38',
    ],
    [
      'an imported constant that is changed there',
      {
        before: `import { base } from './constants'`,
        config: '{ gpu: base.gpu }',
        files: {
          'src/constants.ts': `export const base = { gpu: 'x' }\nexport function set(gpu: string) { ({ x: base.gpu } = { x: gpu }); delete base.gpu; base.gpu++; for (base.gpu of []); [base.gpu = 1, ...base.gpu] = [] }`,
        },
      },
      '`base` is changed in line 2',
      '3:40',
    ],
    [
      'a variable of the machine that is not listed',
      { config: '{ gpu: process.env.CARD }' },
      'configs may not read',
      '3:40',
    ],
    ['a name that nothing declares', { config: '{ gpu: CARD }' }, '`CARD` is not declared', '3:40'],
    ['a regular expression', { config: '{ name: /x/ }' }, 'is a regular expression', '3:41'],
    ['a function among data', { config: '{ name: () => 1 }' }, 'is a function', '3:41'],
    ['a list with a hole', { config: `{ dependencies: ['a', , 'b'] }` }, 'has an empty place', '3:49'],
    ['a prototype', { config: `{ __proto__: { gpu: 'x' } }` }, 'sets a prototype', '3:35'],
    [
      'a constant made of itself',
      { before: 'const a = { b: a.b }', config: '{ gpu: a.b }' },
      'refers to itself',
      '2:16',
    ],
    [
      'something else of ours',
      { config: '{ gpu: flash.getContext }' },
      'is "getContext" of unplugin-flash',
      '3:40',
    ],
    [
      'a key that a JSON file lacks',
      {
        before: `import { big } from './settings.json'`,
        config: 'big',
        files: { 'src/settings.json': '{ "small": 1 }' },
      },
      'is not in ./settings.json',
      '3:33',
    ],
    [
      'a JSON file that is a list',
      {
        before: `import { big } from './settings.json'`,
        config: 'big',
        files: { 'src/settings.json': '[1]' },
      },
      'is not in ./settings.json',
      '3:33',
    ],
    [
      'an export that is not there',
      {
        before: `import { big } from './constants'`,
        config: 'big',
        files: { 'src/constants.ts': constants },
      },
      'no module exports',
      '3:33',
    ],
    [
      'executed data that is no data',
      { before: 'const make = () => ({ env: new Map() })', config: 'make()' },
      'the config.env is an instance of Map',
      '3:33',
    ],
    [
      'an executed value that is no data',
      { before: 'const big = () => [1n]', config: '{ dependencies: big() }' },
      'the config.dependencies[0] is 1n',
      '3:49',
    ],
  ]
  for (const [what, found, text, place] of cases) {
    test(what, async () => {
      const error = (await read(found)) as AppError
      expect(error).toBeInstanceOf(AppError)
      expect([error.code, error.message]).toEqual(['CONFIG_NOT_STATIC', expect.stringContaining(text)])
      const { file, line, column } = error.at!
      expect(`${file}:${line}:${column}`).toBe(`src/main.ts:${place}`)
      expect(error.frame).toContain('^')
      expect(error.hint).toBeTruthy()
    })
  }
})

describe('each kind of failure has its own code', () => {
  const cases: [what: string, found: Case, code: string, text: string, at: string][] = [
    [
      'a package that is in neither place',
      { before: `import { gpu } from 'cards'`, config: '{ gpu: gpu() }' },
      'DEPENDENCY_NOT_INSTALLED',
      'not installed and is not listed in package.json',
      'src/main.ts:2:1',
    ],
    [
      'a package that is only listed',
      {
        before: `import { gpu } from '@acme/cards/sub'`,
        config: '{ gpu }',
        files: { 'package.json': '{ "name": "app", "dependencies": { "@acme/cards": "1" } }' },
      },
      'DEPENDENCY_NOT_INSTALLED',
      '"@acme/cards", which is not installed and is listed',
      'src/main.ts:2:1',
    ],
    [
      'a file that does not exist',
      { before: `import { gpu } from './cards'`, config: '{ gpu: gpu() }' },
      'IMPORT_NOT_FOUND',
      '"./cards"',
      'src/main.ts:2:1',
    ],
    [
      'a syntax error in what is read',
      {
        before: `import { gpu } from './cards'`,
        config: '{ gpu }',
        files: { 'src/cards.ts': 'export const\n  gpu = = 1' },
      },
      'SYNTAX_ERROR',
      '',
      'src/cards.ts:2:9',
    ],
    [
      'a syntax error in what is executed',
      {
        before: `import { gpu } from './barrel'`,
        config: '{ gpu: gpu() }',
        files: {
          'src/barrel.ts': `export { gpu } from './cards'`,
          'src/cards.ts': 'export const\n  gpu = = 1',
        },
      },
      'SYNTAX_ERROR',
      '',
      'src/cards.ts:2:9',
    ],
    [
      'a name that an executed module lacks',
      {
        before: `import { a } from './a.cjs'\nimport { gpu } from './cards'`,
        config: '{ gpu: gpu(a) }',
        files: {
          'src/a.cjs': 'exports.a = 1',
          'src/cards.ts': `export * from './none'`,
          'src/none.ts': 'export {}',
        },
      },
      'CONFIG_FAILED',
      '"gpu" is not exported',
      'src/main.ts:4:40',
    ],
    [
      'a throw',
      {
        before: `import { pick } from './pick'`,
        config: '{ gpu: pick() }',
        files: {
          'src/pick.ts': `export function pick(): string {\n  throw new RangeError('no such card')\n}`,
        },
      },
      'CONFIG_FAILED',
      'threw RangeError: no such card',
      'src/pick.ts:2:9',
    ],
    [
      'an exit',
      { before: 'const leave = () =>\n  process.exit(0)', config: 'leave()' },
      'CONFIG_FAILED',
      'ended its process',
      'src/main.ts:3:11',
    ],
    [
      'a promise that never settles',
      { before: 'const gpu = await new Promise(() => {})', config: '{ gpu }' },
      'CONFIG_FAILED',
      'waits for a promise',
      'src/main.ts:2:13',
    ],
    [
      'a syntax error in JSON',
      {
        before: `import base from './base.json'`,
        config: 'base',
        files: { 'src/base.json': '{\n  "workers": ,\n}' },
      },
      'SYNTAX_ERROR',
      'in JSON',
      'src/base.json:2:14',
    ],
    [
      'a syntax error in an executed module that renames nothing',
      {
        before: `import make from './make'`,
        config: 'make()',
        files: { 'src/make.ts': `export default () => ({\n  gpu: }))` },
      },
      'SYNTAX_ERROR',
      '',
      'src/make.ts:2:8',
    ],
    [
      'a throw in a package',
      {
        before: `import { pick } from 'cards'`,
        config: '{ gpu: pick(() => 1) }',
        files: {
          'node_modules/cards/package.json': '{ "name": "cards", "main": "index.js" }',
          'node_modules/cards/index.js': `exports.pick = () => { throw new Error('no card') }`,
        },
      },
      'CONFIG_FAILED',
      'threw Error: no card',
      'src/main.ts:3:40',
    ],
    [
      'a package that needs another',
      {
        before: `import { gpu } from 'cards'`,
        config: '{ gpu: gpu() }',
        files: {
          'node_modules/cards/package.json': '{ "name": "cards", "main": "index.mjs" }',
          'node_modules/cards/index.mjs': `import x from 'not-installed'\nexport const gpu = () => x`,
        },
      },
      'CONFIG_FAILED',
      'not-installed',
      'src/main.ts:3:40',
    ],
    [
      'an end without a word',
      { config: `{ gpu: (process as any).reallyExit(3) }` },
      'CONFIG_FAILED',
      'ended its process with code 3',
      'src/main.ts:3:40',
    ],
    [
      'an end with last words',
      {
        before: `import fs from 'node:fs'\nconst die = () => { fs.writeSync(2, 'last words'); (process as any).reallyExit(4) }`,
        config: '{ gpu: die() }',
      },
      'CONFIG_FAILED',
      'with code 4:\nlast words',
      'src/main.ts:4:40',
    ],
    [
      'a remote function called by a config',
      {
        before: `import { other } from './other'`,
        config: '{ gpu: other() }',
        files: {
          'src/other.ts': `import { getContext } from 'unplugin-flash'\nexport const other = () => getContext().jobId`,
        },
      },
      'CONFIG_FAILED',
      'getContext runs in a worker or an app',
      'src/other.ts:2:28',
    ],
    [
      'a style sheet used as a value',
      { before: `import style from './a.css'`, config: '{ gpu: style }', files: { 'src/a.css': '' } },
      'CONFIG_FAILED',
      'not exported',
      'src/main.ts:3:40',
    ],
    [
      'an invalid option',
      { config: `{ gpu: 'NVIDIA L4', workers: -1 }` },
      'BAD_CONFIG',
      'workers',
      'src/main.ts:3:53',
    ],
    [
      'an invalid option of a constant elsewhere',
      {
        before: `import { base } from './constants'`,
        config: '{ ...base }',
        files: { 'src/constants.ts': 'export const base = {\n  workers: [3, 1],\n}' },
      },
      'BAD_CONFIG',
      'workers',
      'src/constants.ts:2:3',
    ],
    [
      'an invalid option deep inside',
      { config: `{ volumes: [{ kind: 'network', name: 'a', sizeGb: 1 }] }` },
      'BAD_CONFIG',
      'volumes[0].sizeGb',
      'src/main.ts:3:75',
    ],
    [
      'an invalid option in JSON',
      {
        before: `import base from './base.json'`,
        config: 'base',
        files: { 'src/base.json': '{\n  "workers": -1\n}' },
      },
      'BAD_CONFIG',
      'workers',
      'src/base.json:2:3',
    ],
    ['an unknown option', { config: `{ workrs: 1 }` }, 'UNKNOWN_FIELD', 'workers', 'src/main.ts:3:35'],
    ['a bad name', { config: `{ name: 'live-x' }` }, 'BAD_NAME', 'live-', 'src/main.ts:3:35'],
    ['a config that is none', { config: `'NVIDIA L4'` }, 'BAD_CONFIG', 'an object', 'src/main.ts:3:33'],
    [
      'an executed config that is none',
      { before: 'const make = () => 3', config: 'make()' },
      'BAD_CONFIG',
      'an object',
      'src/main.ts:3:33',
    ],
  ]
  for (const [what, found, code, text, at] of cases) {
    test(what, async () => {
      const error = (await read(found)) as AppError
      expect(error).toBeInstanceOf(AppError)
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)])
      const { file, line, column } = error.at!
      expect(`${file}:${line}:${column}`).toBe(at)
      expect(error.frame).toContain('^')
    })
  }

  test('an option that loops', async () => {
    const error = await read({
      before: 'const loop = () => { for (;;); }',
      config: '{ gpu: loop() }',
      options: { limitMs: 500 },
    })
    expect(error).toMatchObject({
      code: 'CONFIG_FAILED',
      message: expect.stringContaining('within 0.5 s'),
      at: { file: 'src/main.ts', line: 3, column: 40 },
    })
  })
})
