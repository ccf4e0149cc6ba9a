import { afterEach, describe, expect, test } from 'vitest'
import { createTestProject, type TestProject } from '../testing/project.ts'
import type { Signature } from './types.ts'

let project: TestProject | undefined
afterEach(() => project?.[Symbol.dispose]())

const head = "import { remote } from 'unplugin-flash'\n"

/** The signature of the only function of `src/a.ts`. */
async function signatureOf(text: string, files: Record<string, string> = {}): Promise<Signature> {
  project = createTestProject({ 'src/a.ts': head + text, ...files })
  await project.scan()
  return (await project.signature(project.functions()[0]!.id))!
}

/** The schema of a parameter of this type, with what it refers to. */
async function schemaOf(type: string, declarations = '', files: Record<string, string> = {}) {
  const signature = await signatureOf(
    `${declarations}\nexport const f = remote({}, async (a: ${type}) => {})`,
    files,
  )
  return { schema: signature.callables[0]!.params[0]!.schema, definitions: signature.definitions }
}

const text = { type: 'string' }
const number = { type: 'number' }
const notTold = { description: 'the source does not tell its type' }
const object = (properties: object, required?: string[]) => ({
  type: 'object',
  properties,
  ...(required && { required }),
})

describe('types', () => {
  for (const [type, schema] of [
    ['string', text],
    ['number', number],
    ['boolean', { type: 'boolean' }],
    ['null', { type: 'null' }],
    ['undefined', { type: 'null' }],
    ['any', notTold],
    ['unknown', notTold],
    ['never', { not: {} }],
    ['object', { type: 'object' }],
    ['bigint', { description: 'a bigint, for which plain JSON has no word' }],
    ['() => void', { description: 'a function, which does not travel' }],
    ['unique symbol', { description: 'a symbol, which does not travel' }],
    ["'a'", { const: 'a' }],
    ['-1', { const: -1 }],
    ["'a' | 'b'", { type: 'string', enum: ['a', 'b'] }],
    ['1 | "b" | null', { anyOf: [{ enum: [1, 'b'] }, { type: 'null' }] }],
    ['true | false | "auto"', { anyOf: [{ type: 'boolean' }, { const: 'auto' }] }],
    ['string | null', { type: ['string', 'null'] }],
    ['string | undefined', text],
    ['string | unknown', notTold],
    ['(string | number)[]', { type: 'array', items: { type: ['string', 'number'] } }],
    ['readonly string[]', { type: 'array', items: text }],
    ['ReadonlyArray<number>', { type: 'array', items: number }],
    ['Array', { type: 'array', items: notTold }],
    ['`a${string}`', text],
    ['[a: string, b?: number]', { type: 'array', prefixItems: [text, number], minItems: 1, maxItems: 2 }],
    ['[string, number?]', { type: 'array', prefixItems: [text, number], minItems: 1, maxItems: 2 }],
    [
      '[string, ...number[], null]',
      { type: 'array', prefixItems: [text], minItems: 2, items: { type: ['number', 'null'] } },
    ],
    ['[...unknown]', { type: 'array', minItems: 0, items: notTold }],
    ['{ a: string; b?: number }', object({ a: text, b: number }, ['a'])],
    [
      '{ a: string | undefined; get b(): number; c(): void; d: () => 1; e }',
      object({ a: text, b: number, e: notTold }, ['b', 'e']),
    ],
    [
      "{ 'c-d': 1; [k: string]: number }",
      { ...object({ 'c-d': { const: 1 } }, ['c-d']), additionalProperties: number },
    ],
    [
      '{ __proto__: string }',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}'),
    ],
    ['{ [computed]: 1 }', object({})],
    ['{ a: 1 } & { b: 2 }', object({ a: { const: 1 }, b: { const: 2 } }, ['a', 'b'])],
    ['string & { brand: 1 }', { allOf: [text, object({ brand: { const: 1 } }, ['brand'])] }],
    ['Record<string, number>', { type: 'object', additionalProperties: number }],
    ["Record<'a' | 'b', number>", object({ a: number, b: number }, ['a', 'b'])],
    ['Record<number, string>', notTold],
    ['Record', notTold],
    ['Partial<{ a: string }>', object({ a: text })],
    ['Required<{ a?: string }>', object({ a: text }, ['a'])],
    ['Readonly<{ a: string }>', object({ a: text }, ['a'])],
    ["Pick<{ a: string; b: string }, 'a'>", object({ a: text }, ['a'])],
    ["Omit<{ a: string; b?: string }, 'a'>", object({ b: text })],
    ['Pick<string, string>', notTold],
    ['Partial', notTold],
    ['NonNullable<string | null>', text],
    ['NonNullable', notTold],
    ["Exclude<'a' | 'b', 'a'>", { const: 'b' }],
    ["Extract<'a' | 'b' | 1, 'a' | 'b'>", { type: 'string', enum: ['a', 'b'] }],
    ['Exclude<string>', notTold],
    ['Awaited<Promise<string>>', text],
    ['Promise', notTold],
    ['{ [K in "a" | "b"]: K }', object({ a: { const: 'a' }, b: { const: 'b' } }, ['a', 'b'])],
    ['{ [K in "a"]?: string }', object({ a: text })],
    ['{ [K in keyof { a?: 1; b: 2 }]: string }', object({ a: text, b: text }, ['b'])],
    ['{ [K in keyof { a?: 1 }]-?: string }', object({ a: text }, ['a'])],
    ['{ [K in string]: number }', { type: 'object', additionalProperties: number }],
    ['{ [K in "a" as `x`]: 1 }', notTold],
    ["{ a: string; b: 1 }['a']", text],
    ['{ a: string; b: 1 }[keyof { a: 1; b: 1 }]', { anyOf: [{ const: 1 }, text] }],
    ["{ a: string }['b']", notTold],
    ['string[][number]', text],
    ['string[number]', notTold],
    ['keyof string', text],
    ['Date', { type: 'string', format: 'date-time' }],
    ['Uint8Array', { type: 'string', contentEncoding: 'base64', description: 'bytes' }],
    ['File', { type: 'string', format: 'binary', description: 'a File; as a result its bytes in base64' }],
    ['Map<string, 1>', { description: 'a Map, for which plain JSON has no word' }],
    ['Uppercase<"a">', text],
    [
      '[String, Number, Boolean, Object]',
      {
        type: 'array',
        prefixItems: [text, number, { type: 'boolean' }, { type: 'object' }],
        minItems: 4,
        maxItems: 4,
      },
    ],
    ['URL', { type: 'string', format: 'uri' }],
    ['Blob', { type: 'string', format: 'binary', description: 'a Blob; as a result its bytes in base64' }],
    ['ReadableStream', { description: 'a stream of bytes' }],
    ['new () => 1', { description: 'a class, which does not travel' }],
    ['ReturnType<typeof x>', notTold],
    ['string extends 1 ? 2 : 3', notTold],
    ['Missing', notTold],
    ['a.b.C', notTold],
    ["import('zod').Thing", { description: 'Thing of "zod"' }],
    ["import('./x')", notTold],
  ] as const) {
    test(type, async () => expect((await schemaOf(type)).schema).toEqual(schema))
  }
})

describe('named types', () => {
  test('an interface is a definition, with its parents, all its declarations, and its comments', async () => {
    const { schema, definitions } = await schemaOf(
      'Box',
      `interface Named { name: string }
/**
 * What is sent.
 *
 * Twice.
 * @internal
 */
export interface Box extends Named {
  /** Of the side, in cm. */
  width: number
}
interface Box { depth: number }`,
    )
    expect(schema).toEqual({ $ref: '#/$defs/Box' })
    expect(definitions.Box).toEqual({
      ...object({ name: text, width: { ...number, description: 'Of the side, in cm.' }, depth: number }, [
        'name',
        'width',
        'depth',
      ]),
      description: 'What is sent.\n\nTwice.',
    })
  })

  test('a type that contains itself', async () => {
    const { schema, definitions } = await schemaOf(
      'Tree<string>',
      'type Tree<T> = { value: T; children: Tree<T>[] }',
    )
    const tree = { $ref: '#/$defs/Tree' }
    expect(schema).toEqual(tree)
    expect(definitions).toEqual({
      Tree: object({ value: text, children: { type: 'array', items: tree } }, ['value', 'children']),
    })
    project?.[Symbol.dispose]()
    const json = await schemaOf('Json', 'type Json = string | Json[]')
    expect(json.schema).toEqual({ $ref: '#/$defs/Json' })
  })

  test('one that leads to nothing but itself, or grows without an end, ends', async () => {
    expect((await schemaOf('A', 'type A = B\ntype B = A')).definitions).toEqual({ A: notTold })
    project?.[Symbol.dispose]()
    const { definitions } = await schemaOf('Grow<1>', 'type Grow<T> = { next: Grow<[T, T]> }')
    expect(JSON.stringify(definitions)).toContain('a type without an end')
    project?.[Symbol.dispose]()
    const deep = await schemaOf('Deep<1>', 'type Deep<T> = { next: Deep<T[]> }')
    expect(JSON.stringify(deep.definitions)).toContain('a type without an end')
  })

  test('the same name with other arguments, and in another module, is another definition', async () => {
    const { schema, definitions } = await schemaOf(
      '[Page<string>, Page<number>, other.Page, Page<string>]',
      "import * as other from './other'\ninterface Page<T = null> { items: T[] }",
      { 'src/other.ts': 'export interface Page { count: number }' },
    )
    expect(schema.prefixItems).toEqual([
      { $ref: '#/$defs/Page' },
      { $ref: '#/$defs/Page2' },
      { $ref: '#/$defs/Page3' },
      { $ref: '#/$defs/Page' },
    ])
    expect(Object.keys(definitions)).toEqual(['Page', 'Page2', 'Page3'])
  })

  test('types of other modules, through barrels and other names; a package stays outside', async () => {
    const { schema } = await schemaOf(
      '[Size, Renamed, Default, Far, Lost, Circle, ns.Size, ns.no.Deep, Type]',
      `import type { Size, Lost, Circle, Small as Renamed } from './barrel'
import Default, { type Far } from './barrel'
import type * as ns from './sizes'
import Type from 'three'`,
      {
        'src/barrel.ts':
          "export * from 'three'\nexport * from './barrel'\nexport * from './sizes'\nexport { default, Small } from './sizes'\nexport type { Far } from './no-such-file'",
        'src/sizes.ts':
          "export type Size = 's' | 'm'\ntype Small = 's'\nexport type { Small }\nexport default interface Whatever { a: 1 }\nexport { x as Size2 }",
      },
    )
    expect(schema.prefixItems).toEqual([
      { type: 'string', enum: ['s', 'm'] },
      { const: 's' },
      { $ref: '#/$defs/Default' },
      { description: 'Far of "./no-such-file"' },
      { description: 'Lost of "three"' },
      { description: 'Circle of "three"' },
      { type: 'string', enum: ['s', 'm'] },
      notTold,
      { description: 'Type of "three"' },
    ])
  })

  test('a module that does not parse, and a file that is no module, tell nothing', async () => {
    const { schema } = await schemaOf(
      '[A, B]',
      "import type { A } from './broken'\nimport { B } from './style.css'",
      {
        'src/broken.ts': 'export type A =',
        'src/style.css': '',
      },
    )
    expect(schema.prefixItems).toEqual([
      { description: 'A of "./broken"' },
      { description: 'B of "./style.css"' },
    ])
  })

  for (const [what, declaration, type, schema] of [
    ['an enum', 'enum E { A, B, C = "c", D = 7, F }', 'E', { enum: [0, 1, 'c', 7, 8] }],
    [
      'an enum that is computed',
      'enum E { A = 1 << 2 }',
      'E',
      { description: 'a value of an enum that is computed' },
    ],
    [
      'an enum after a text',
      'enum E { A = "a", B }',
      'E',
      { description: 'a value of an enum that is computed' },
    ],
    ['a class', 'class C {}', 'C', { description: 'an instance of the class C, which does not travel' }],
    [
      'the values of a constant',
      "const mode = { fast: 'f', slow: 's' } as const",
      '(typeof mode)[keyof typeof mode]',
      { type: 'string', enum: ['f', 's'] },
    ],
    [
      'the items of a constant',
      "const all = ['a', 'b'] as const",
      '(typeof all)[number]',
      { type: 'string', enum: ['a', 'b'] },
    ],
    [
      'a constant that is not fixed',
      'const usual = { a: 1, b: [true], c: [], d: `x`, e: f(), g: null }',
      'typeof usual',
      object(
        {
          a: number,
          b: { type: 'array', items: { type: 'boolean' } },
          c: { type: 'array' },
          d: text,
          e: notTold,
          g: notTold,
        },
        ['a', 'b', 'c', 'd', 'e', 'g'],
      ),
    ],
    [
      'a constant with parts from elsewhere',
      'const usual = { ...other, a: [...b] }',
      'typeof usual',
      { type: 'object' },
    ],
    [
      'a list with parts from elsewhere',
      'const usual = [...other, null, 1] as const',
      'typeof usual',
      { type: 'array', items: notTold },
    ],
    ['a variable', 'let a = 1', 'typeof a', notTold],
    ['its own Date', 'type Date = string', 'Date', text],
    [
      'a constraint for what only callers know',
      'interface T { a: 1 }\ntype Id<T extends string> = T',
      'Id',
      text,
    ],
    [
      'a parent that is not followed',
      'interface A extends b.C { a: 1 }',
      'A',
      { allOf: [notTold, object({ a: { const: 1 } }, ['a'])] },
    ],
    ['a parent with arguments', 'interface P<T> { p: T }\ninterface A extends P<string> {}', "A['p']", text],
    ['an index of all', 'type A = { [k: string]: 1 } & { b: 2 }', 'A["b"]', { const: 2 }],
  ] as const) {
    test(what, async () => expect((await schemaOf(type, declaration)).schema).toEqual(schema))
  }
})

describe('functions', () => {
  test('parameters, their defaults, and what is awaited', async () => {
    const { callables } = await signatureOf(`
/** Makes it loud. */
export const shout = remote({}, async <T extends string>(text: T, times = 3, options = { deep: true }, mark: string | null = null, list?: T[], ...rest: number[]): Promise<string> => text)`)
    expect(callables).toEqual([
      {
        name: 'shout',
        description: 'Makes it loud.',
        params: [
          { name: 'text', required: true, schema: text },
          { name: 'times', required: false, schema: { ...number, default: 3 } },
          { name: 'options', required: false, schema: object({ deep: { type: 'boolean' } }, ['deep']) },
          { name: 'mark', required: false, schema: { type: ['string', 'null'], default: null } },
          { name: 'list', required: false, schema: { type: 'array', items: text } },
          { name: 'rest', required: false, schema: { type: 'array', items: number } },
        ],
        result: text,
        answers: 'value',
      },
    ])
  })

  test('a destructured parameter, with and without a type', async () => {
    const typed = await signatureOf(
      'export const f = remote({}, ({ a, b = 2, ...rest }: { a: string; b?: number; c: 1 }, [x]: [number], ...[y]) => a)',
    )
    expect(typed.callables[0]!.params).toEqual([
      {
        name: 'arg0',
        required: true,
        schema: object({ a: text, b: { ...number, default: 2 }, c: { const: 1 } }, ['a', 'c']),
      },
      {
        name: 'arg1',
        required: true,
        schema: { type: 'array', prefixItems: [number], minItems: 1, maxItems: 1 },
      },
      { name: 'arg2', required: false, schema: { type: 'array', items: notTold } },
    ])
    project?.[Symbol.dispose]()
    const bare = await signatureOf('export const f = remote({}, ({ a, b = -2, [c]: d, ...rest } = {}) => a)')
    expect(bare.callables[0]!.params[0]!.schema).toEqual(
      object({ a: notTold, b: { ...number, default: -2 } }),
    )
  })

  for (const [returns, result, answers] of [
    ['', notTold, 'value'],
    [': Promise<void>', { type: 'null' }, 'value'],
    [': Promise<AsyncGenerator<string>>', text, 'items'],
    [': (AsyncIterable<number>)', number, 'items'],
    [': AsyncIterable', notTold, 'items'],
    [': Promise<Response>', { description: 'a Response that the handler makes' }, 'raw'],
    [': Promise<Date>', { type: 'string', format: 'date-time' }, 'value'],
    [': Own', text, 'value'],
  ] as const) {
    test(`a result${returns || ' without a type'}`, async () => {
      const { callables } = await signatureOf(
        `type Own = string\ntype Iterable = string\nexport const f = remote({}, async ()${returns} => 1)`,
      )
      expect(callables[0]).toMatchObject({ result, answers })
    })
  }

  test('generators, with and without a type', async () => {
    const one = await signatureOf(
      'export const f = remote({}, async function* (): AsyncGenerator<string> {})',
    )
    expect(one.callables[0]).toMatchObject({ result: text, answers: 'items' })
    project?.[Symbol.dispose]()
    const other = await signatureOf('export const f = remote({}, function* () {})')
    expect(other.callables[0]).toMatchObject({ result: notTold, answers: 'items' })
    project?.[Symbol.dispose]()
    const alias = await signatureOf('type Mine = string\nexport const f = remote({}, function* (): Mine {})')
    expect(alias.callables[0]).toMatchObject({ result: text, answers: 'items' })
  })

  test('a named function has the comment of its declaration, and may be of another module', async () => {
    const { callables } = await signatureOf(
      `import { work } from './work'\n/** Of the call. */\nexport const models = { small: remote({}, work) }`,
      {
        'src/work.ts':
          '/** Of the function. */\nexport function work(job: Job): number {}\ninterface Job { id: string }',
      },
    )
    expect(callables[0]).toMatchObject({
      name: 'models.small',
      description: 'Of the function.',
      params: [{ name: 'job', schema: { $ref: '#/$defs/Job' } }],
      result: number,
    })
    project?.[Symbol.dispose]()
    const inObject = await signatureOf(
      'export const all = {\n  /** Inside. */\n  one: remote({}, async () => 1),\n}\nfunction own() {}',
    )
    expect(inObject.callables[0]!.description).toBe('Inside.')
    project?.[Symbol.dispose]()
    const local = await signatureOf('/** Own. */\nfunction own() {}\nexport const f = remote({}, own)')
    expect(local.callables[0]!.description).toBe('Own.')
  })

  test('a function of a package, and an id that is none', async () => {
    const { callables } = await signatureOf(
      "import { work } from 'work'\n// a note\nexport const f = remote({}, work)",
    )
    expect(callables).toEqual([
      { name: 'f', description: null, params: [], result: notTold, answers: 'value' },
    ])
    expect(await project!.signature('nothing')).toBeNull()
  })

  test('a class: its methods, inherited ones, and what it is made with', async () => {
    const { callables, constructorParams } = await signatureOf(
      `import { Base } from './base'
export const Model = remote({}, class extends Base<string> {
  constructor(private readonly name: string, public size = 2) { super() }
  /** Runs it. */
  run(input: { text: string }): Promise<string[]> {}
})`,
      {
        'src/base.ts': 'export class Base<T> extends (class { far(): 1 {} }) {\n  load(what: T): void {}\n}',
      },
    )
    expect(constructorParams).toEqual([
      { name: 'name', required: true, schema: text },
      { name: 'size', required: false, schema: { ...number, default: 2 } },
    ])
    expect(
      callables.map(({ name, params, result, description }) => [
        name,
        params[0]?.schema,
        result,
        description,
      ]),
    ).toEqual([
      ['run', object({ text }, ['text']), { type: 'array', items: text }, 'Runs it.'],
      ['load', notTold, { type: 'null' }, null],
      ['far', undefined, { const: 1 }, null],
    ])
  })

  test('a class without a constructor is made with nothing that is known', async () => {
    const { constructorParams } = await signatureOf(
      'export const M = remote({}, class extends Lost { run() {} })',
    )
    expect(constructorParams).toBeNull()
  })
})
