import type { AppError } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { analyzeModule, plainAnalysis } from './analyze.ts'
import { findAliases, mayContain } from './detect.ts'
import { parseModule } from './parse.ts'
import { analyzeWithFacts, expectValid, memoryHost } from './transform/fixture.ts'
import { rewriteModule } from './transform/rewrite.ts'

const head = "import { remote, unchecked } from 'unplugin-flash'\n"
const file = '/src/module.ts'

function analyze(code: string, others: Record<string, string> = {}, id = file) {
  return analyzeModule(head + code, id, memoryHost(others))
}

async function callables(code: string, others: Record<string, string> = {}) {
  const analysis = await analyze(code, others)
  const { kind, callables, constructorParams } = analysis!.functions[0]!
  return {
    kind,
    callables: callables.map(({ name, kind, params }) => ({ name, kind, params: write(params) })),
    constructor: write(constructorParams),
  }
}

/** `a, b?, ...rest` with `{}` behind what is destructured. */
function write(params: { name: string; kind: string; optional: boolean }[] | null) {
  return (
    params
      ?.map(
        ({ name, kind, optional }) =>
          `${kind === 'rest' ? '...' : ''}${name}${kind === 'pattern' ? '{}' : ''}${optional && kind !== 'rest' ? '?' : ''}`,
      )
      .join(', ') ?? null
  )
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.fail('nothing was refused'),
    (error: unknown) => error as AppError,
  )
}

describe('parameters are told as the source names them', () => {
  for (const [params, wanted] of [
    ['', ''],
    ['text', 'text'],
    ['text, n = 3', 'text, n?'],
    ['text: string, n?: number', 'text, n?'],
    ['{ prompt, steps = 20 }', 'arg0{}'],
    ['text, { steps } = {}', 'text, arg1{}?'],
    ['[a, b]: [string, string], text', 'arg0{}, text'],
    ['...files', '...files'],
    ['text, ...[first, second]', 'text, ...arg1'],
  ] as const) {
    test(params || 'none', async () => {
      const { callables: found } = await callables(`export const a = remote({}, async (${params}) => 1)`)
      expect(found).toEqual([{ name: 'a', kind: 'function', params: wanted }])
    })
  }
})

describe('the kind of a function', () => {
  for (const [body, kind] of [
    ['async () => 1', 'function'],
    ['() => 1', 'function'],
    ['function () { return 1 }', 'function'],
    ['function* () { yield 1 }', 'generator'],
    ['async function* named() { yield 1 }', 'generator'],
    ['unchecked(async function* () { yield 1 })', 'generator'],
    ['class {}', 'class'],
    ['unchecked(class Named {})', 'class'],
  ] as const) {
    test(body, async () => expect((await callables(`export const a = remote({}, ${body})`)).kind).toBe(kind))
  }
})

describe('a body given by name', () => {
  const read = {
    callables: [{ name: 'a', kind: 'function', params: 'text' }],
    kind: 'function',
    constructor: null,
  }
  const unknown = {
    callables: [{ name: 'a', kind: 'function', params: null }],
    kind: 'function',
    constructor: null,
  }
  for (const [what, code, others, wanted] of [
    ['a function', 'async function read(text) {}\nexport const a = remote({}, read)', {}, read],
    ['a constant', 'const read = (text) => text\nexport const a = remote({}, read)', {}, read],
    [
      'a constant for a constant',
      'const first = (text) => text\nconst read = first\nexport const a = remote({}, read)',
      {},
      read,
    ],
    [
      'an import',
      "import { read } from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export const read = (text) => text' },
      read,
    ],
    [
      'a default import',
      "import read from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export default async function (text) {}' },
      read,
    ],
    [
      'a default import of a name',
      "import read from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'const own = (text) => text\nexport default own' },
      read,
    ],
    [
      'an import through a barrel',
      "import { read } from './all'\nexport const a = remote({}, read)",
      { '/src/all.ts': "export { own as read } from './own'", '/src/own.ts': 'export function own(text) {}' },
      read,
    ],
    [
      'a member of a namespace',
      "import * as all from './all'\nexport const a = remote({}, all.deep.read)",
      { '/src/all.ts': "export * as deep from './own'", '/src/own.ts': 'export function read(text) {}' },
      read,
    ],
    [
      'a constant for a member of a namespace',
      "import * as all from './own'\nconst read = all.read\nexport const a = remote({}, read)",
      { '/src/own.ts': 'export function read(text) {}' },
      read,
    ],
    [
      'an import from a package',
      "import { read } from 'package'\nexport const a = remote({}, read)",
      {},
      unknown,
    ],
    [
      'a member of a package',
      "import all from 'package'\nexport const a = remote({}, all.read)",
      {},
      unknown,
    ],
    [
      'an import made by a call',
      "import { read } from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export const read = wrap((text) => text)' },
      unknown,
    ],
    [
      'an import that is not there',
      "import { read } from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export const other = 1' },
      unknown,
    ],
    [
      'an import that is a type there',
      "import { read } from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export type { read } from "./other"' },
      unknown,
    ],
    [
      'an import of a file that does not parse',
      "import { read } from './read'\nexport const a = remote({}, read)",
      { '/src/read.ts': 'export const = 1' },
      unknown,
    ],
    [
      'an import of a style sheet',
      "import read from './read.css'\nexport const a = remote({}, read)",
      { '/src/read.css': 'p {}' },
      unknown,
    ],
    [
      'imports in a circle',
      "import { read } from './one'\nexport const a = remote({}, read)",
      { '/src/one.ts': "export { read } from './two'", '/src/two.ts': "export { read } from './one'" },
      unknown,
    ],
    [
      'a name that `export *` of two packages may have',
      "import { read } from './one'\nexport const a = remote({}, read)",
      { '/src/one.ts': "export * from 'a'\nexport type * from './types'\nexport * from 'unplugin-flash'" },
      unknown,
    ],
  ] as const) {
    test(what, async () => expect(await callables(code, others)).toEqual(wanted))
  }

  test('constants that name each other', async () => {
    const code = 'const one = two\nconst two = one\nexport const a = remote({}, one)'
    expect(await refusal(analyze(code))).toMatchObject({ code: 'REMOTE_BODY' })
  })

  for (const [what, code] of [
    ['a namespace', "import * as all from './all'\nexport const a = remote({}, all)"],
    [
      'a member of a function',
      "import { all } from './all'\nconst read = all.read.deep\nexport const a = remote({}, read)",
    ],
    ['a computed member', "import * as all from './all'\nexport const a = remote({}, all[String(1)])"],
    ['a type', "import type { all } from './all'\nexport const a = remote({}, all)"],
    ['a local type', 'type all = () => void\nexport const a = remote({}, all)'],
    ['an enum', 'enum all { one }\nexport const a = remote({}, all)'],
    ['`null`', 'export const a = remote({}, null)'],
  ] as const) {
    test(`is refused when it is ${what}`, async () => {
      const others = { '/src/all.ts': 'export function all() {}' }
      expect(await refusal(analyze(code, others))).toMatchObject({
        code: 'REMOTE_BODY',
        at: { file: 'src/module.ts' },
      })
    })
  }
})

describe('classes', () => {
  test('give public methods and the constructor', async () => {
    const code = `export const Model = remote({}, class {
      static make() {}
      field = 1
      arrow = () => 1
      get size() { return 1 }
      accessor wide = 1
      #own() {}
      _hidden() {}
      private secret() {}
      protected near() {}
      [Symbol.asyncDispose]() {}
      [name]() {}
      constructor(private readonly name: string, size = 1) {}
      load(text: string): Promise<string>
      load(text: string, raw?: boolean) {}
      async *'stream-all'() {}
      ['quoted'](n: number) {}
      1() {}
    })`
    expect(await callables(code)).toEqual({
      kind: 'class',
      callables: [
        { name: 'load', kind: 'function', params: 'text, raw?' },
        { name: 'stream-all', kind: 'generator', params: '' },
        { name: 'quoted', kind: 'function', params: 'n' },
        { name: '1', kind: 'function', params: '' },
      ],
      constructor: 'name, size?',
    })
  })

  test('inherit through modules, and a subclass decides what a name is', async () => {
    const others = {
      '/src/base.ts':
        "import * as deep from './deep'\nexport abstract class Base extends deep.Deep { abstract all(): void; load() {} gone() {} size() {} }",
      '/src/deep.ts':
        'export const Deep = class { constructor(name) {} load(a, b) {} *stream(n) {} get kept() { return 1 } }',
    }
    const code =
      "import { Base } from './base'\nclass Middle extends Base { gone = 1; get size() { return 1 } }\nexport const Model = remote({}, class extends Middle { load(text) {} })"
    expect(await callables(code, others)).toEqual({
      kind: 'class',
      callables: [
        { name: 'load', kind: 'function', params: 'text' },
        { name: 'stream', kind: 'generator', params: 'n' },
      ],
      constructor: 'name',
    })
  })

  for (const [what, code, constructor, warns] of [
    ['no superclass', 'class { load() {} }', '', false],
    ['`null`', 'class extends null { load() {} }', '', false],
    [
      'a class written in place',
      'class extends (class { constructor(name) {} }) { load() {} }',
      'name',
      false,
    ],
    ['a class that cannot be followed', 'class extends Outside { load() {} }', null, true],
    [
      'one that cannot be followed, with an own constructor',
      'class extends Outside { constructor(name) { super() } load() {} }',
      'name',
      true,
    ],
    ['a mixin', 'class extends mix(Outside) { load() {} }', null, true],
    ['something undeclared', 'class extends Nowhere { load() {} }', null, true],
    ['a function', 'class extends old { load() {} }', null, true],
    ['itself', 'class Circle extends Circle { load() {} }', '', true],
  ] as const) {
    test(`with ${what} as superclass`, async () => {
      const code2 = `import { Outside, mix } from 'package'\nfunction old() {}\nexport const Model = remote({}, ${code})`
      const analysis = await analyze(code2)
      expect(analysis!.functions[0]!.callables.map(({ name }) => name)).toEqual(['load'])
      expect(analysis!.warnings.map(({ code }) => code)).toEqual(warns ? ['METHODS_UNKNOWN'] : [])
      if (what !== 'itself') expect(write(analysis!.functions[0]!.constructorParams)).toBe(constructor)
    })
  }

  test('that extend each other end somewhere', async () => {
    const code =
      'class One extends Two { one() {} }\nclass Two extends One { two() {} }\nexport const Model = remote({}, One)'
    expect((await callables(code)).callables.map(({ name }) => name)).toEqual(['one', 'two'])
  })
})

describe('identity', () => {
  test('is package, path and export path, and nothing else', async () => {
    const ids = async (code: string, id = file) =>
      (await analyze(code, {}, id))!.functions.map(({ id }) => id)
    const [id] = await ids('export const read = remote({ name: "one" }, async () => 1)')
    expect(id).toMatch(/^[a-z2-7]{16}$/)
    expect(
      await ids('\n\nconst read = remote({ name: "two" }, async () => 2)\nexport { read as other }'),
    ).toEqual([id])
    expect(await ids('export const read = remote({}, async () => 1)', '/src/module.ts?v=1234')).toEqual([id])
    expect(await ids('export const read = remote({}, async () => 1)', '/src/other.ts')).not.toEqual([id])
    expect(await ids('export const write = remote({}, async () => 1)')).not.toEqual([id])
  })

  test('of all exports in one module differs', async () => {
    const code =
      'export const a = remote({}, async () => 1)\nexport const b = { a: remote({}, async () => 1) }\nexport default remote({}, async () => 1)'
    const found = (await analyze(code))!.functions
    expect(found.map(({ exportPath }) => exportPath)).toEqual(['a', 'b.a', 'default'])
    expect(new Set(found.map(({ id }) => id)).size).toBe(3)
  })

  for (const [code, exported] of [
    ['export const a = remote({}, async () => 1)', true],
    ['const a = remote({}, async () => 1)', false],
    ['const a = remote({}, async () => 1)\nexport { a as b }', true],
    ['const a = remote({}, async () => 1)\nexport default a', true],
    ['const a = remote({}, async () => 1)\nconst b = a\nexport { b }', true],
    ['const a = remote({}, async () => 1)\nexport type { a }', false],
    ['const all = { a: remote({}, async () => 1) }\nexport { all }', true],
    ['const all = { a: remote({}, async () => 1) }', false],
    ['export default remote({}, async () => 1)', true],
  ] as const) {
    test(`${exported ? '' : 'not '}exported: ${code.replaceAll('\n', '; ')}`, async () => {
      const found = (await analyze(code))!.functions
      expect(found.map((one) => one.exported)).toEqual([exported])
    })
  }

  test('on Windows paths', async () => {
    const host = memoryHost({})
    const locate = () => ({ package: 'example', path: 'src/a.ts', prefix: 'a', rootPath: 'src/a.ts' })
    const analysis = await analyzeModule(
      `${head}export const a = remote({}, async () => 1)`,
      'C:\\app\\src\\a.ts',
      { ...host, locate },
    )
    expect(analysis!.functions[0]!.at).toEqual({ file: 'src/a.ts', line: 2, column: 18 })
    expect(analysis!.parsed.file).toBe('C:\\app\\src\\a.ts')
  })
})

describe('nothing is found in', () => {
  for (const [what, code, id] of [
    ['a module without the words', 'export const a = 1', file],
    [
      'a module that only imports',
      "import { getContext } from 'unplugin-flash'\nexport const job = () => getContext().jobId",
      file,
    ],
    ['a barrel', "export { remote } from 'unplugin-flash'", file],
    ['a local function of that name', 'function remote(a, b) {}\nexport const a = remote({}, () => 1)', file],
    ['a parameter of that name', 'export const a = (remote) => remote({}, () => 1)', file],
    [
      'a type import',
      "import type { remote } from 'unplugin-flash'\nexport const a = (remote as any)({}, () => 1)",
      file,
    ],
    [
      'an import of that name from elsewhere',
      "import { remote } from 'electron'\nexport const a = remote({}, () => 1)",
      file,
    ],
    ['a call without two arguments of something global', 'remote(1)', file],
    [
      'a component without calls',
      "<script>\nimport { remote } from 'unplugin-flash'\n</script>\n<p>remote({}, fn)</p>",
      '/src/page.vue',
    ],
    [
      'a component that does not parse',
      "<script>\nimport { remote } from 'unplugin-flash'\nconst =\n</script>",
      '/src/page.svelte',
    ],
    [
      'a component with unchecked only',
      "<script>\nimport { unchecked } from 'unplugin-flash'\nunchecked(1)\n</script>",
      '/src/page.vue',
    ],
    ['a CommonJS file', "const { remote } = require('unplugin-flash')\nreturn", '/src/old.cjs'],
  ] as const) {
    test(what, async () => expect(await analyzeModule(code, id, memoryHost({}))).toBe(null))
  }
})

test('the script part of a component is refused where it stands', async () => {
  const code = `${head}const a = remote({}, async () => 1)`
  const error = await refusal(
    analyzeModule(code, '/src/page.vue?vue&type=script&setup=true&lang.ts', memoryHost({})),
  )
  expect(error).toMatchObject({
    code: 'REMOTE_IN_COMPONENT',
    at: { file: 'src/page.vue', line: 2, column: 11 },
  })
  expect(error.message).toContain('a Vue component')
})

test('a component in TypeScript with JSX is read', async () => {
  const code = `<script setup lang="tsx">\n${head}const a = remote({}, async () => <p />)\n</script>`
  expect(await refusal(analyzeModule(code, '/src/page.vue', memoryHost({})))).toMatchObject({
    code: 'REMOTE_IN_COMPONENT',
  })
})

test('a syntax error names the file from the root', async () => {
  const error = await refusal(analyze('export const ='))
  expect(error).toMatchObject({ code: 'SYNTAX_ERROR', at: { file: 'src/module.ts', line: 2, column: 14 } })
})

test('the files that a result depends on are told', async () => {
  const others = {
    '/src/all.ts': "export * from './own'\nexport { remote } from 'unplugin-flash'",
    '/src/own.ts': 'export function read() {}',
  }
  const code =
    "import { remote, read } from './all'\nimport { never } from './never'\nexport const a = remote({}, read)\nnever(1)"
  const analysis = await analyzeModule(
    code,
    file,
    memoryHost({ ...others, '/src/never.ts': 'export function never() {}' }),
  )
  expect(analysis!.dependencies).toEqual(['/src/all.ts', '/src/own.ts'])
})

describe('aliases', () => {
  const barrel =
    "import { remote } from 'unplugin-flash'\nexport { remote as gpu, remote, unchecked } from 'unplugin-flash'\nexport { remote as fast }\nexport const other = 1\nexport default class {}\nexport type { remote as typed } from 'unplugin-flash'"

  test('of a barrel are found', async () => {
    expect(await findAliases(parseModule(barrel, '/src/barrel.ts'), memoryHost({}))).toEqual(['gpu', 'fast'])
  })

  test('make a module worth reading', async () => {
    const code = "import { gpu } from './barrel'\nexport const a = gpu({}, async () => 1)"
    const host = memoryHost({ '/src/barrel.ts': barrel })
    expect(mayContain(code)).toBe(false)
    expect(mayContain(code, ['gpu'])).toBe(true)
    expect(await analyzeModule(code, file, host)).toBe(null)
    expect((await analyzeModule(code, file, host, ['gpu']))!.functions).toHaveLength(1)
  })
})

describe('the first test of the text', () => {
  for (const [code, wanted] of [
    ["import x from 'unplugin-flash'", true],
    ['remote({}, fn)', true],
    ["ns['remote']({}, fn)", true],
    ['(remote as any)({}, fn)', true],
    ["import { remote as x, y } from './x'", true],
    ["import { y, remote } from './x'", true],
    ['remote<A>({}, fn)', true],
    ['remote?.({}, fn)', true],
    ['remote!({}, fn)', true],
    ['remote // why\n({}, fn)', true],
    ['remote satisfies X', true],
    ['const url = remote.origin', false],
    ['remoteControl({})', false],
    ['// the remote side of it', false],
    ['export const a = 1', false],
  ] as const) {
    test(`${wanted ? '' : 'not '}${code}`, () => expect(mayContain(code)).toBe(wanted))
  }

  test('costs nothing', () => {
    const code = 'export const value = compute(1, 2, 3) // with some text\n'.repeat(1_000)
    const start = performance.now()
    for (let count = 0; count < 100; count++) mayContain(code)
    expect((performance.now() - start) / 100).toBeLessThan(5)
  })
})

describe('role setup', () => {
  const slice = (code: string, expression: string) => {
    const analysis = plainAnalysis(parseModule(code, file))
    const start = code.indexOf(expression)
    const output = rewriteModule(analysis, { kind: 'setup', start, end: start + expression.length }).code
    expectValid(output, file)
    return output.replaceAll(/\n+/g, '\n').trim()
  }

  test('of a module without functions', () => {
    const code =
      "import { open } from './model'\nimport { z } from 'zod'\nexport const config = { input: z.string(), setup: () => open() }\nconsole.log(config)\n"
    expect(slice(code, '() => open()')).toBe(
      "import { open } from './model'\nexport const __flash_setup = () => open();",
    )
  })

  test('of a method, with what makes it async', () => {
    const code = 'const size = 1\nexport const config = { async setup() { return size } }\n'
    expect(slice(code, '() { return size }')).toBe(
      'const size = 1\nexport const __flash_setup = ({ async setup() { return size } })["setup"];',
    )
  })

  test('at the very end of the text', () => {
    expect(slice('const size = 1\nexport const load = () => size', '() => size')).toBe(
      'const size = 1\nexport const __flash_setup = () => size;',
    )
  })

  test('that names what it stands in', () => {
    const code = 'export const load = (again) => again && load(false)\n'
    expect(slice(code, '(again) => again && load(false)')).toBe(
      'export const load = (again) => again && load(false)\nexport const __flash_setup = (again) => again && load(false);',
    )
  })

  test('outside all statements takes nothing along', () => {
    expect(slice("export const a = 1\n'loose'", "'loose'")).toBe("export const __flash_setup = 'loose';")
  })

  test('under a name that the module has', () => {
    expect(
      slice('const __flash_setup = 1\nexport const load = () => __flash_setup\n', '() => __flash_setup'),
    ).toBe(
      'const __flash_setup = 1\nconst __flash_setup_ = () => __flash_setup;\nexport { __flash_setup_ as __flash_setup };',
    )
  })
})

test('roles that name endpoints say when the facts are missing', async () => {
  const analysis = await analyze('export const a = remote({}, async () => 1)')
  expect(() => rewriteModule(analysis!, { kind: 'server' })).toThrow('no facts for a in /src/module.ts')
})

test('a worker that keeps nothing has nothing', async () => {
  const analysis = await analyzeWithFacts(
    `${head}import './page.css'\nexport const a = remote({}, async () => 1)\nmount(a)`,
    file,
    memoryHost({}),
  )
  const { code } = rewriteModule(analysis, { kind: 'worker', keeps: () => false })
  expect(code).not.toMatch(/remote|mount|page\.css/)
  expect(code).toContain('export { __flash_functions }')
})

test('bodies and configs are text of the module, whatever the body says', async () => {
  const one = await analyzeWithFacts(
    `${head}export const a = remote({ name: 'x' }, async () => 'first')\n`,
    file,
    memoryHost({}),
  )
  const two = await analyzeWithFacts(
    `${head}export const a = remote({ name: 'y' }, async () => {\n  return 'second'\n})\n`,
    file,
    memoryHost({}),
  )
  const stub = (analysis: typeof one) => rewriteModule(analysis, { kind: 'client', tag: () => 'tag' }).code
  expect(stub(two)).toBe(stub(one))
})
