import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createTestProject, type TestProject } from '../testing/project.ts'

let project: TestProject | undefined
afterEach(() => project?.[Symbol.dispose]())

const head = "import { endpoint, remote } from 'unplugin-flash'\n"

/** A schema of a library, as short as one can be. */
const own = (input: string, output = input) =>
  `({ '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value }), jsonSchema: { input: () => (${input}), output: () => (${output}) } } })`

/** What schemas tell, by name of the function. */
async function toldBy(files: Record<string, string>, limitMs?: number) {
  project = createTestProject(files, { limitMs })
  symlinkSync(resolve('node_modules'), join(project.root, 'node_modules'))
  await project.scan()
  return tellAgain()
}

async function tellAgain() {
  const told = await project!.schemas()
  return Object.fromEntries(
    project!.functions().flatMap(({ id, exportPath }) => (told.has(id) ? [[exportPath, told.get(id)]] : [])),
  )
}

test('a project without schemas runs nothing', async () => {
  expect(await toldBy({ 'src/a.ts': `${head}export const f = remote({}, () => 1)` })).toEqual({})
})

test('input and output of functions, of this module and of others, and those of routes', async () => {
  const told = await toldBy({
    'src/shared.ts': `import { z } from 'zod'\nexport const base = { name: 'shared', input: z.object({ n: z.int().max(9) }) }`,
    'src/a.ts': `${head}import { z } from 'zod'
import { base } from './shared'
import './style.css'
import heavy from 'a-package-that-is-not-there'
const text = z.string().min(1)
export const f = remote({ input: z.object({ text, at: z.coerce.number() }), output: z.string().transform((s) => s.length) }, async ({ text }) => heavy(text))
export const g = remote(base, async ({ n }) => n)
const api = endpoint({ name: 'images' })
export const resize = api.post('/resize/:w', () => 1, { params: z.object({ w: z.coerce.number() }), body: z.object({ f: z.file() }), local: false })
api.get('/', () => [])
`,
  })
  const object = (properties: object, required: string[]) => ({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties,
    required,
  })
  expect(told).toEqual({
    f: {
      input: {
        schema: object({ text: { type: 'string', minLength: 1 }, at: { type: 'number' } }, ['text', 'at']),
      },
      output: { schema: expect.objectContaining({}) },
    },
    g: { input: { schema: expect.objectContaining({ required: ['n'] }) } },
    'api.POST /resize/:w': {
      params: { schema: object({ w: { type: 'number' } }, ['w']) },
      body: { schema: expect.objectContaining({ required: ['f'] }), optional: false },
    },
  })
})

test('both directions, and what a schema does not tell', async () => {
  const told = await toldBy({
    'src/a.ts': `${head}import * as v from 'valibot'
export const plain = remote({ input: v.object({ a: v.string() }), output: ${own('{ a: 1 }', '{ b: 2 }')} }, () => 1)
export const none = remote({ input: 1 as never, output: ${own('null')} }, () => 1)
export const wrong = remote({ output: ${own("(() => { throw new Error('no word for it') })()")} }, () => 1)
const made = () => ({ input: ${own('{}')}, name: 'made' })
export const ran = remote(made(), () => 1)
`,
  })
  expect(told).toEqual({
    plain: {
      input: { note: 'schemas of valibot do not tell their JSON Schema' },
      output: { schema: { b: 2 } },
    },
    none: {
      input: { note: 'its schema is no Standard Schema' },
      output: { note: 'its schema tells no JSON Schema' },
    },
    wrong: { output: { note: 'its schema does not tell its JSON Schema: no word for it' } },
  })
})

test('one that cannot be run does not keep the others from telling', async () => {
  const told = await toldBy(
    {
      'src/a.ts': `${head}import { gone } from './gone'
const throws = () => { throw new TypeError('\\x1b[31mnot\\x1b[39m today') }
const ends = () => process.exit(1)
const hangs = () => { for (;;); }
export const one = remote({ input: ${own("{ type: 'string' }")} }, () => 1)
export const two = remote({ input: throws() }, () => 1)
export const three = remote({ input: ends() }, () => 1)
export const four = remote({ input: hangs() }, () => 1)
export const five = remote({ input: gone }, () => 1)
export const six = remote({ input: ${own("{ type: 'number' }")} }, () => 1)
`,
    },
    1_500,
  )
  expect(told).toEqual({
    one: { input: { schema: { type: 'string' } } },
    two: { input: { note: 'its schema cannot be run: TypeError: not today' } },
    three: { input: { note: 'its schema cannot be run: it ended its process' } },
    four: { input: { note: 'its schema cannot be run: it did not come to an end within 1.5 s' } },
    five: { input: { note: 'its schema cannot be run: "./gone" in src/a.ts is not there' } },
    six: { input: { schema: { type: 'number' } } },
  })
})

test('after an edit of a schema it is asked again, after others it is not run', async () => {
  const text = (type: string, body: string, above = '') =>
    `${head}${above}export const f = remote({ input: ${own(`{ type: '${type}', at: performance.timeOrigin }`)} }, () => ${body})`
  const [first] = Object.values(await toldBy({ 'src/a.ts': text('string', '1') }))
  const edit = async (type: string, body: string, above = '') => {
    project!.write({ 'src/a.ts': text(type, body, above) })
    await project!.update(project!.path('src/a.ts'))
    return (await tellAgain()).f
  }
  expect(await edit('string', '2')).toEqual(first)
  expect(await edit('string', '2', '// a line above it\n')).toEqual(first)
  expect(await edit('number', '2')).toMatchObject({ input: { schema: { type: 'number' } } })
})

test('schemas of a module that imports remote functions', async () => {
  const told = await toldBy({
    'src/other.ts': `${head}export const other = remote({}, () => 1)\nexport const limit = 3`,
    'src/data.json': '{ "max": 4 }',
    'src/a.ts': `${head}import { other, limit } from './other'\nimport data from './data.json'
export const f = remote({ input: ${own('{ minimum: limit, maximum: data.max }')} }, () => other())`,
  })
  expect(told).toEqual({ f: { input: { schema: { minimum: 3, maximum: 4 } } } })
})
