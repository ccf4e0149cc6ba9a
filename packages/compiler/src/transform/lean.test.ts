import { expect, test } from 'vitest'
import { createTestProject } from '../testing/project.ts'
import { rewriteModule } from './rewrite.ts'

/** How each function of a module is registered in a bundle that keeps all of them. */
async function ways(code: string, demanded: string[] = []): Promise<string[]> {
  using project = createTestProject({ 'src/a.ts': code })
  await project.scan()
  expect(project.problems()).toEqual([])
  const analysis = await project.analyze(code, project.path('src/a.ts'))
  const role = { kind: 'worker', keeps: () => true, demanded: new Set(demanded), lean: true } as const
  return [
    ...rewriteModule(analysis!, role).code.matchAll(
      /= ?__flash_(define|register)\(|default __flash_(define|register)\(|: __flash_(define|register)\(/g,
    ),
  ].map(([, a, b, c]) => a ?? b ?? c!)
}

const start = "import { remote } from 'unplugin-flash'\nconst shared = { name: 'shared' }\n"

test.for([
  ['that nobody calls', `${start}export const a = remote(shared, async () => 1)`, [], ['register']],
  ['that is the default', `${start}export default remote(shared, async () => 1)`, [], ['register']],
  [
    'that another one calls',
    `${start}export const a = remote(shared, async () => 1)\nexport const b = remote(shared, async () => a())`,
    [],
    ['define', 'register'],
  ],
  [
    'that calls itself',
    `${start}export const a = remote(shared, async (n: number): Promise<number> => (n > 0 ? a(n - 1) : 0))`,
    [],
    ['define'],
  ],
  [
    'that a helper of another one passes on',
    `${start}export const a = remote(shared, async () => 1)\nconst all = { a }\nexport const b = remote(shared, async () => Object.keys(all))`,
    [],
    ['define', 'register'],
  ],
  [
    'that only dead code names',
    `${start}export const a = remote(shared, async () => 1)\nexport const unused = () => a()`,
    [],
    ['register'],
  ],
  [
    'that only a type names',
    `${start}export const a = remote(shared, async () => 1)\nexport type A = typeof a`,
    [],
    ['register'],
  ],
  [
    'that another module imports',
    `${start}export const a = remote(shared, async () => 1)`,
    ['a'],
    ['define'],
  ],
  [
    'that another module imports by another name',
    `${start}const a = remote(shared, async () => 1)\nexport { a as far }`,
    ['far'],
    ['define'],
  ],
  [
    'of which another module imports something else',
    `${start}export const a = remote(shared, async () => 1)\nexport const other = 2`,
    ['other'],
    ['register'],
  ],
  [
    'of a module that is imported whole',
    `${start}export const a = remote(shared, async () => 1)`,
    ['*'],
    ['define'],
  ],
  [
    'in an object that another one reads',
    `${start}export const models = { small: remote(shared, async () => 1) }\nexport const b = remote(shared, async () => models.small())`,
    [],
    ['define', 'register'],
  ],
] as const)('a function %s', async ([, code, demanded, expected]) => {
  expect(await ways(code, [...demanded])).toEqual(expected)
})

/** What stands in the bundle of endpoint "one" for the functions of others. */
async function stubsIn(code: string): Promise<string> {
  using project = createTestProject({ 'src/a.ts': code })
  await project.scan()
  const analysis = await project.analyze(code, project.path('src/a.ts'))
  const keeps = ({ endpoint }: { endpoint: string }) => endpoint === 'one'
  const calling = { app: 'shop', key: 'CALLS_KEY', settings: { retry: false } }
  return rewriteModule(analysis!, { kind: 'worker', keeps, lean: true, calling }).code
}

test('stubs of a build say all that a call has to know, and nothing that is the other endpoint’s own', async () => {
  const code = await stubsIn(`import { remote } from 'unplugin-flash'
const load = async () => 'SECRET'
const two = remote({ name: 'two', setup: load }, async (text: string, state) => text + state)
const Model = remote({ name: 'three' }, class { constructor(private size: number) {} async *tokens(to: number) { yield to } })
const unused = remote({ name: 'four' }, async () => 4)
export const one = remote({ name: 'one' }, async () => [await two('a'), new Model(1)])
`)
  expect(code).toContain(
    `import { serverStub as __flash_stub, serverClass as __flash_class } from 'unplugin-flash/internal/calls'`,
  )
  const infos = [...code.matchAll(/__flash_(?:stub|class)\("[a-z2-7]{16}", (?:0|"\*tokens"), (\{.*\})\)/g)]
  const shared = { app: 'shop', key: 'CALLS_KEY', settings: { retry: false } }
  expect(infos.map(([, info]) => JSON.parse(info!))).toEqual([
    {
      ...shared,
      name: 'two',
      at: 'src/a.ts:3',
      fn: {
        exportPath: 'two',
        kind: 'function',
        callables: [expect.objectContaining({ name: 'two', kind: 'function', params: expect.any(Array) })],
        constructorParams: null,
        hasInput: false,
        setup: '',
      },
    },
    {
      ...shared,
      name: 'three',
      at: 'src/a.ts:4',
      fn: {
        exportPath: 'Model',
        kind: 'class',
        callables: [expect.objectContaining({ name: 'tokens', kind: 'generator' })],
        constructorParams: [{ name: 'size', kind: 'plain', optional: false }],
        hasInput: false,
        setup: null,
      },
    },
  ])
  expect(code).not.toMatch(/SECRET|four/)
})
