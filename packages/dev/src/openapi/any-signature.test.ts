import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  letrec,
  oneof,
  record,
  tuple,
  uniqueArray,
} from 'fast-check'
import { expect, test } from 'vitest'
import { createDocumentedProject, findFaults } from './testing.ts'

const name = constantFrom(
  'a',
  'b',
  'toString',
  '__proto__',
  '$ref',
  'properties',
  'type',
  'args',
  'ünï',
  'B',
  '_1',
)
const word = constantFrom(
  'string',
  'number',
  'boolean',
  'null',
  'undefined',
  'unknown',
  'never',
  'bigint',
  'object',
  'void',
  'Date',
  'File',
  'Uint8Array',
  'Map<string, 1>',
  'Missing',
  'T',
  'Tree',
  'Tree2<Tree>',
  'Mode',
  'typeof known',
  "'a'",
  '-1',
  'Loop',
)

const { type } = letrec<{ type: string; object: string }>((tie) => ({
  type: oneof(
    { maxDepth: 3, depthSize: 'small' },
    word,
    tie('object'),
    tie('type').map((one) => `(${one})[]`),
    tuple(tie('type'), tie('type')).map(([one, other]) => `(${one}) | (${other})`),
    tuple(tie('type'), tie('type')).map(([one, other]) => `(${one}) & (${other})`),
    tuple(tie('type'), tie('type')).map(([one, other]) => `[${one}, (${other})?, ...string[]]`),
    tuple(
      constantFrom('Partial', 'Required', 'Readonly', 'NonNullable', 'Awaited', 'Promise', 'Tree2', 'Array'),
      tie('type'),
    ).map(([utility, one]) => `${utility}<${one}>`),
    tuple(constantFrom('Record', 'Pick', 'Omit', 'Exclude', 'Extract'), tie('type'), tie('type')).map(
      ([utility, one, other]) => `${utility}<${one}, ${other}>`,
    ),
    tuple(tie('type'), tie('type')).map(([one, other]) => `(${one})[${other}]`),
    tie('type').map((one) => `keyof (${one})`),
    tie('type').map((one) => `{ [K in keyof (${one})]?: (${one})[K] }`),
  ),
  object: uniqueArray(tuple(name, boolean(), tie('type')), { selector: ([key]) => key, maxLength: 4 }).map(
    (members) =>
      `{ ${members.map(([key, optional, one]) => `${key}${optional ? '?' : ''}: ${one}`).join('; ')} }`,
  ),
}))

const params = uniqueArray(
  tuple(
    name.filter((one) => one !== 'type'),
    constantFrom('', '?'),
    type,
  ),
  {
    selector: ([key]) => key,
    maxLength: 3,
  },
)
  // Optional ones come last.
  .map((given) => [...given].sort((one, other) => one[1].length - other[1].length))
const list = (given: [string, string, string][], between = ', ') =>
  given.map(([key, mark, one]) => `${key}${mark}: ${one}`).join(between)

const types = `interface Tree { value: string; below: Tree[]; other?: Tree2<Tree> }
type Tree2<T> = { item: T; next: Tree2<T> | null }
type Loop = Loop | string
enum Mode { A, B = 'b' }
const known = { a: 1, b: ['x'] } as const
`

test('whatever types a function or a route has, the document is valid', async () => {
  const signature = record({
    params,
    result: type,
    shape: constantFrom('plain', 'pattern', 'class', 'generator', 'route'),
  })
  await assert(
    asyncProperty(array(signature, { minLength: 1, maxLength: 4 }), async (signatures) => {
      const calls = signatures.map(({ params: given, result, shape }, index) => {
        if (shape === 'route')
          return `api.post('/r${index}/:a', ({ body }: { body: ${result}; query: { ${list(given, '; ')} } }): ${result} => body)`
        if (shape === 'class')
          return `export const f${index} = remote({}, class { constructor(${list(given)}) {} run(${list(given)}): ${result} {} })`
        if (shape === 'pattern')
          return `export const f${index} = remote({}, ({ a = 1 }: ${result}): ${result} => a)`
        if (shape === 'generator')
          return `export const f${index} = remote({}, async function* <T>(${list(given)}): AsyncGenerator<${result}> {})`
        return `export const f${index} = remote({}, async <T extends string>(${list(given)}): Promise<${result}> => 1)`
      })
      const text = `import { endpoint, remote } from 'unplugin-flash'\n${types}const api = endpoint({ name: 'api' })\n${calls.join('\n')}`
      using made = await createDocumentedProject({ 'src/a.ts': text })
      expect(made.project.problems()).toEqual([])
      expect(await findFaults(await made.document())).toEqual([])
    }),
    { numRuns: 40 },
  )
}, 60_000)
