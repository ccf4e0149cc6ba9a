import type { AppError } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { rewriteModule } from './transform/rewrite.ts'
import { createTestProject } from './testing/project.ts'

const head = `import { remote } from 'unplugin-flash'\n`
const fn = 'async () => 1'
const remote = (config: string, name = 'run') => `${head}export const ${name} = remote(${config}, ${fn})\n`

const at = ({ at }: AppError) => `${at?.file}:${at?.line}:${at?.column}`
const told = (problems: AppError[]) => problems.map((problem) => [problem.code, at(problem)])

describe('identity', () => {
  test('facts of a function, a generator and a class', async () => {
    using project = createTestProject({
      'src/receipt.ts': `${head}export const read = remote({ setup: () => 1 }, async (image: File, state) => image.name)`,
      'src/lib/index.ts': `${head}export default remote({ name: 'my-lib', input: {} as any, output: {} as any }, function* (n = 3) { yield n })`,
      'src/model.ts': `${head}const Model = remote({}, class { constructor(private size: string) {} load() {} async *tokens(text: string) {} })`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    const [lib, model, receipt] = project.functions()
    expect(lib).toMatchObject({
      path: 'src/lib/index.ts',
      prefix: 'lib',
      exportPath: 'default',
      kind: 'generator',
      endpoint: 'my-lib',
      hasInput: true,
      hasOutput: true,
      setup: null,
    })
    expect(model).toMatchObject({
      prefix: 'model',
      exported: false,
      kind: 'class',
      endpoint: 'model-Model',
      constructorParams: [{ name: 'size' }],
    })
    expect(receipt).toEqual({
      id: expect.stringMatching(/^[a-z2-7]{16}$/),
      package: 'app',
      path: 'src/receipt.ts',
      file: project.path('src/receipt.ts'),
      prefix: 'receipt',
      exportPath: 'read',
      exported: true,
      kind: 'function',
      callables: [expect.objectContaining({ name: 'read' })],
      constructorParams: null,
      setup: `${receipt!.id}.setup`,
      hasInput: false,
      hasOutput: false,
      endpoint: 'receipt-read',
      at: { file: 'src/receipt.ts', line: 2, column: 21 },
    })
    expect(project.get(receipt!.id)).toBe(receipt)
    expect(project.get('nothing')).toBeUndefined()
    expect(project.endpoint('my-lib')).toEqual([lib])
    expect(project.hasFunctions(`${receipt!.file}?flash=x`)).toBe(true)
  })

  test('a client of an endpoint has a stub and is no function', async () => {
    using project = createTestProject({
      'src/client.ts': `import { endpoint } from 'unplugin-flash'\nexport const other = endpoint({ id: 'abc123' })`,
      'src/plain.ts': 'export const a = 1',
    })
    await project.scan()
    const has = (file: string) =>
      [project.hasStubs, project.hasFunctions].map((ask) => ask(project.path(file)))
    expect(has('src/client.ts?v=1')).toEqual([true, false])
    expect(has('src/plain.ts')).toEqual([false, false])
    expect(has('src/nowhere.ts')).toEqual([false, false])
  })

  test('aliased exports are one endpoint, re-exports are none, the definition owns the route', async () => {
    using project = createTestProject({
      'src/a.ts': `${head}const a = remote({}, ${fn})\nconst b = a\nexport { a, b, a as c }`,
      'src/index.ts': `export * from './a'\nexport { a as d } from './a'`,
    })
    await project.scan()
    expect(project.functions()).toMatchObject([{ prefix: 'a', exportPath: 'a', exported: true }])
  })

  test('the same name in two files is two endpoints', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}'), 'src/b.ts': remote('{}') })
    await project.scan()
    expect(project.functions().map(({ endpoint }) => endpoint)).toEqual(['a-run', 'b-run'])
    expect(new Set(project.functions().map(({ id }) => id)).size).toBe(2)
  })

  test('another package of the workspace has its name in front, and needs a name where that gives none', async () => {
    using project = createTestProject({
      'packages/ml/package.json': '{ "name": "ml" }',
      'packages/ml/src/a.ts': remote('{}'),
      'packages/ml/lib/package.json': '{ "type": "module" }',
      'packages/ml/lib/b.ts': remote('{}'),
      'packages/scoped/package.json': '{ "name": "@acme/ml" }',
      'packages/scoped/src/c.ts': remote('{}'),
      'packages/broken/package.json': 'no JSON',
      'packages/broken/d.ts': remote('{}'),
    })
    await project.scan()
    expect(
      project.functions().map(({ package: name, path, prefix, endpoint }) => [name, path, prefix, endpoint]),
    ).toEqual([
      ['@acme/ml', 'src/c.ts', '@acme/ml/c', 'fn-@acme-ml-c-run'],
      ['app', 'packages/broken/d.ts', 'packages/broken/d', 'packages-broken-d-run'],
      ['ml', 'lib/b.ts', 'ml/lib/b', 'ml-lib-b-run'],
      ['ml', 'src/a.ts', 'ml/a', 'ml-a-run'],
    ])
    expect(told(project.problems())).toEqual([['BAD_NAME', 'packages/scoped/src/c.ts:2:20']])
    expect(project.problems()[0]!.hint).toContain('`name`')
  })

  test('a project without package is its folder', async () => {
    using project = createTestProject({ 'package.json': '{}', 'src/a.ts': remote('{}') })
    await project.scan()
    expect(project.functions()).toMatchObject([
      { package: expect.any(String), path: expect.stringMatching(/src\/a\.ts$/), prefix: 'a' },
    ])
  })
})

describe('endpoints', () => {
  test('one constant with a name, also imported and aliased, is one endpoint of several functions', async () => {
    using project = createTestProject({
      'src/config.ts': `export const small = { name: 'small', workers: 2 } as const\nexport const all = { small }`,
      'src/a.ts': `${head}import { small } from './config'\nconst same = small\nexport const one = remote(small, ${fn})\nexport const two = remote(same, ${fn})`,
      'src/b.ts': `${head}import * as configs from './config'\nexport const three = remote(configs.small, ${fn})\nexport const four = remote(configs.all.small, ${fn})`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    expect(project.endpoint('small').map(({ exportPath }) => exportPath)).toEqual([
      'one',
      'two',
      'four',
      'three',
    ])
    expect(await project.config('small')).toMatchObject({ name: 'small', workers: { max: 2 } })
    expect(await project.check()).toEqual([])
  })

  test('two configs with one name are an error that names both places, whatever the case', async () => {
    using project = createTestProject({
      'src/a.ts': remote(`{ name: 'photos' }`),
      'src/b.ts': `${head}\nexport const run = remote({ name: 'Photos' }, ${fn})`,
    })
    await project.scan()
    const [problem, ...others] = project.problems()
    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'DUPLICATE_ENDPOINT', at: { file: 'src/b.ts', line: 3 } })
    for (const text of ['photos and Photos', 'src/a.ts:2:20', 'src/b.ts:3:20'])
      expect(problem!.message).toContain(text)
    expect(problem!.frame).toContain('> 3')
  })

  test('copies of a constant are different configs', async () => {
    using project = createTestProject({
      'src/a.ts': `${head}const base = { name: 'same' }\nexport const one = remote(base, ${fn})\nexport const two = remote({ ...base }, ${fn})\nexport const three = remote({ ...base }, ${fn})`,
    })
    await project.scan()
    expect(told(project.problems())).toEqual([
      ['DUPLICATE_ENDPOINT', 'src/a.ts:5:22'],
      ['DUPLICATE_ENDPOINT', 'src/a.ts:4:20'],
    ])
  })

  test('names made of two files can meet', async () => {
    using project = createTestProject({ 'src/a/b.ts': remote('{}'), 'src/a-b.ts': remote('{}') })
    await project.scan()
    expect(told(project.problems())).toEqual([['DUPLICATE_ENDPOINT', 'src/a/b.ts:2:20']])
  })

  test('a shared constant without a name is an error at the constant; used once it is none', async () => {
    const config = 'export const small = { workers: 2 }'
    using project = createTestProject({
      'src/config.ts': config,
      'src/a.ts': `${head}import { small } from './config'\nexport const one = remote(small, ${fn})`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    project.write({
      'src/b.ts': `${head}import { small } from './config'\nexport const two = remote(small, ${fn})`,
    })
    await project.update(project.path('src/b.ts'))
    const [problem] = project.problems()
    expect(problem).toMatchObject({
      code: 'CONFIG_NEEDS_NAME',
      at: { file: 'src/config.ts', line: 1, column: 22 },
    })
    expect(problem!.message).toContain('`one` at src/a.ts:3:20, `two` at src/b.ts:3:20')
  })

  test('an endpoint that does not exist names those that do', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await expect(project.config('x')).rejects.toMatchObject({
      code: 'UNKNOWN_ENDPOINT',
      hint: expect.stringContaining('no remote functions'),
    })
    await project.scan()
    await expect(project.config('x')).rejects.toMatchObject({
      code: 'UNKNOWN_ENDPOINT',
      hint: expect.stringContaining('a-run'),
    })
  })

  test('two copies of one package are told apart by nothing', async () => {
    const copy = { 'package.json': '{ "name": "ml" }', 'a.ts': remote('{}') }
    const files = Object.entries(copy).flatMap(([file, text]) => [
      [`x/${file}`, text],
      [`y/${file}`, text],
    ])
    using project = createTestProject(Object.fromEntries(files))
    await project.scan()
    expect(project.problems()[0]).toMatchObject({
      code: 'DUPLICATE_FUNCTION',
      message: expect.stringMatching(/x\/a\.ts.*y\/a\.ts/),
    })
  })
})

describe('setup', () => {
  test('functions share a state by naming one binding or one field of a constant', async () => {
    using project = createTestProject({
      'src/load.ts': `export async function load() {}\nexport const loaders = { big: () => 1 }\nexport default () => 2`,
      'src/barrel.ts': `export { load as start } from './load'`,
      'src/config.ts': `export const small = { name: 'small', setup: () => 1 }`,
      'src/a.ts': `${head}
        import { load, loaders } from './load'
        import * as all from './load'
        import { small } from './config'
        import { start } from './barrel'
        import other from './load'
        import { far } from 'not-installed'
        const own = () => 3
        export const named = remote({ setup: load }, ${fn})
        export const renamed = remote({ setup: start }, ${fn})
        export const member = remote({ setup: all.load }, ${fn})
        export const field = remote({ setup: loaders.big }, ${fn})
        export const standard = remote({ setup: other }, ${fn})
        export const outside = remote({ setup: far }, ${fn})
        export const local = remote({ setup: own }, ${fn})
        export const inline = remote({ setup: () => 4 }, ${fn})
        export const method = remote({ setup() {} }, ${fn})
        export const none = remote({ setup: undefined }, ${fn})
        export const shared = remote(small, ${fn})
        export const again = remote(small, ${fn})`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    const setups = Object.fromEntries(
      project.functions().map(({ exportPath, setup, id }) => [exportPath, setup?.replace(id, '<id>')]),
    )
    expect(setups).toEqual({
      named: 'src/load.ts#load',
      renamed: 'src/load.ts#load',
      member: 'src/load.ts#load',
      field: 'src/load.ts#loaders.big',
      standard: 'src/load.ts#default',
      outside: 'not-installed#far',
      local: 'src/a.ts#own',
      inline: '<id>.setup',
      method: '<id>.setup',
      none: undefined,
      shared: 'src/config.ts#small.setup',
      again: 'src/config.ts#small.setup',
    })
  })

  test('the source of a setup is found by function and by key, and can be sliced out', async () => {
    using project = createTestProject({
      'src/a.ts': `${head}import { load } from './load'\nexport const run = remote({ setup: load }, ${fn})\nexport const plain = remote({ setup: () => 42 }, ${fn})\nexport const none = remote({}, ${fn})`,
      'src/load.ts': 'export const load = () => 1',
    })
    await project.scan()
    const [none, plain, run] = project.functions()
    const source = project.setupSource(run!.id)!
    expect(source.file).toBe(project.path('src/a.ts'))
    expect(project.setupSource('src/load.ts#load')).toEqual(source)
    expect(project.setupSource(none!.id)).toBeNull()
    const code = (await import('node:fs')).readFileSync(source.file, 'utf8')
    expect(code.slice(source.start, source.end)).toBe('load')
    const { start, end } = project.setupSource(plain!.id)!
    const analysis = await project.analyze(code, source.file)
    expect(rewriteModule(analysis!, { kind: 'setup', start, end }).code.trim()).toBe(
      'export const __flash_setup = () => 42;',
    )
  })
})

describe('discovery', () => {
  test('every kind of module, wherever it is; ignored files, packages, types and output are none', async () => {
    const kinds = ['ts', 'tsx', 'js', 'jsx', 'mts', 'mjs']
    using project = createTestProject({
      ...Object.fromEntries(kinds.map((kind) => [`src/${kind}/module.${kind}`, remote('{}')])),
      'deep/er/a.ts': remote('{}'),
      'src/types.d.ts': remote('{}'),
      'node_modules/x/index.js': remote('{}'),
      'dist/app.js': remote('{}'),
      'generated/a.ts': remote('{}'),
      'src/private/a.ts': remote('{}'),
      '.gitignore': 'generated/',
      'src/.gitignore': '/private',
      'src/words.ts': `// unplugin-flash and remote('x', 1)\nexport const remote = 1`,
    })
    await project.scan()
    expect(project.functions().map(({ path }) => path)).toEqual(
      ['deep/er/a.ts', ...kinds.map((kind) => `src/${kind}/module.${kind}`)].sort(),
    )
  })

  test('modules that rename remote are followed until there is no new name', async () => {
    using project = createTestProject({
      'src/flash.ts': `export { remote as gpu } from 'unplugin-flash'`,
      'src/second.ts': `import { gpu } from './flash'\nexport { gpu as cloud }`,
      'src/third/index.ts': `import { cloud } from '../second'\nexport default cloud`,
      'src/a.ts': `import { gpu } from './flash'\nexport const one = gpu({}, ${fn})`,
      'src/b.ts': `import { cloud as c } from '@/second'\nexport const two = c({}, ${fn})`,
      'src/c.ts': `import make from './third'\nexport const three = make({}, ${fn})`,
      'src/d.ts': `export const gpu = (a: object, b: unknown) => b\nexport const not = gpu({}, ${fn})`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    expect(project.functions().map(({ exportPath }) => exportPath)).toEqual(['one', 'two', 'three'])
  })

  test('no module is executed', async () => {
    using project = createTestProject({
      'src/loop.ts': `${head}for (;;);\nexport const run = remote({ workers: 2 }, ${fn})`,
      'src/exit.ts': `${head}process.exit(1)\nexport const run = remote({}, ${fn})`,
      'src/proxy.ts': `${head}export default new Proxy({}, { get() { throw new Error('no') } })\nexport const run = remote({}, ${fn})`,
    })
    const start = performance.now()
    await project.scan()
    expect(await project.config('loop-run')).toMatchObject({ workers: { max: 2 } })
    expect(await project.check()).toEqual([])
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('all errors of all files are told at once', async () => {
    using project = createTestProject({
      'src/a.ts': `${head}export const run = remote({}, ${fn}`,
      'src/b.ts': `${head}export function make() { return remote({}, ${fn}) }`,
      'src/c.ts': remote('{}'),
      'src/Page.vue': `<script setup lang="ts">\n${head}const run = remote({}, ${fn})\n</script>`,
      'src/broken.ts': 'export const = 1',
      'src/e.ts': remote('{ workers: -1 }'),
    })
    await project.scan()
    expect(told(project.problems())).toEqual([
      ['REMOTE_IN_COMPONENT', 'src/Page.vue:3:13'],
      ['SYNTAX_ERROR', expect.stringMatching(/^src\/a\.ts:/)],
      ['REMOTE_NOT_MODULE_LEVEL', 'src/b.ts:2:33'],
    ])
    expect(told(await project.check()).slice(3)).toEqual([['BAD_CONFIG', 'src/e.ts:2:29']])
    expect(project.functions().map(({ path }) => path)).toEqual(['src/c.ts', 'src/e.ts'])
  })

  test('warnings are no problems', async () => {
    using project = createTestProject({
      'src/a.ts': `${head}let count = 0\nexport const run = remote({}, async () => ++count)`,
    })
    await project.scan()
    expect(project.problems()).toEqual([])
    expect(project.warnings().map(({ code }) => code)).toEqual(['MUTABLE_CAPTURE'])
  })
})

describe('names that have to be executed', () => {
  const files = {
    'src/name.ts': `export const name = (part: string) => 'photos-' + part`,
    'src/a.ts': `import { name } from './name'\n${remote(`{ name: name('small') }`)}`,
  }

  test('are the endpoint names', async () => {
    using project = createTestProject(files)
    await project.scan()
    expect(project.functions()).toMatchObject([{ endpoint: 'photos-small' }])
    expect(await project.config('photos-small')).toMatchObject({ name: 'photos-small' })
    project.write({ 'src/name.ts': `export const name = (part: string) => 'images-' + part` })
    expect(await project.update(project.path('src/name.ts'))).toMatchObject({
      changed: [{ endpoint: 'images-small' }],
      endpoints: ['images-small', 'photos-small'],
    })
  })

  test('fields that a call brings are facts', async () => {
    using project = createTestProject({
      'src/a.ts': `const make = () => ({ setup: () => 1, output: {} })\n${remote('{ ...make() }')}`,
    })
    await project.scan()
    const [fact] = project.functions()
    expect(fact).toMatchObject({
      setup: `${fact!.id}.setup`,
      hasInput: false,
      hasOutput: true,
      endpoint: 'a-run',
    })
  })

  test('a function whose config fails is known by its place, and the config says why', async () => {
    using project = createTestProject({
      ...files,
      'src/name.ts': `export const name = () => { throw new Error('no name') }`,
    })
    await project.scan()
    expect(project.functions()).toMatchObject([{ endpoint: 'a-run' }])
    await expect(project.config('a-run')).rejects.toMatchObject({
      code: 'CONFIG_FAILED',
      at: { file: 'src/name.ts', line: 1 },
    })
    expect(told(await project.check())).toEqual([['CONFIG_FAILED', 'src/name.ts:1:35']])
  })

  test('a config that differs from run to run fails the check only', async () => {
    using project = createTestProject({
      'src/a.ts': remote(
        '{ idleTimeoutSeconds: Math.ceil(Math.random() * 3000), env: { A: String(process.hrtime.bigint()) } }',
      ),
    })
    await project.scan()
    expect(await project.config('a-run')).toMatchObject({ kind: 'queue' })
    expect(told(await project.check())).toEqual([
      ['NON_DETERMINISTIC_CONFIG', expect.stringContaining('src/a.ts:2:')],
    ])
  })

  test('one that does not passes it', async () => {
    using project = createTestProject(files)
    await project.scan()
    expect(await project.check()).toEqual([])
  })
})

describe('edits', () => {
  const names = (facts: { exportPath: string }[]) => facts.map(({ exportPath }) => exportPath)

  test('a function appears, moves, changes and vanishes', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await project.scan()
    const file = project.path('src/a.ts')
    project.write({ 'src/a.ts': `${remote('{}')}export const more = remote({ name: 'more' }, ${fn})` })
    expect(await project.update(file)).toMatchObject({
      appeared: [{ exportPath: 'more' }],
      changed: [],
      vanished: [],
      endpoints: ['more'],
    })
    project.write({
      'src/a.ts': `\n${remote('{}')}export const more = remote({ name: 'more' }, async () => 2)`,
    })
    expect(await project.update(file)).toEqual({ appeared: [], changed: [], vanished: [], endpoints: [] })
    expect(project.functions()[1]!.at.line).toBe(3)
    project.write({
      'src/a.ts': `${remote('{ workers: 2 }')}export const more = remote({ name: 'more' }, function* (n: number) {})`,
    })
    expect(await project.update(file)).toMatchObject({
      changed: [{ exportPath: 'more', kind: 'generator' }],
      endpoints: ['a-run'],
    })
    expect(await project.config('a-run')).toMatchObject({ workers: { max: 2 } })
    project.write({ 'src/a.ts': 'export {}' })
    const { vanished, endpoints } = await project.update(file)
    expect([names(vanished), endpoints]).toEqual([
      ['more', 'run'],
      ['a-run', 'more'],
    ])
    expect(project.functions()).toEqual([])
  })

  test('a deleted file takes its functions along; one that is ignored never has any', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}'), '.gitignore': 'out/' })
    await project.scan()
    project.remove('src/a.ts')
    project.write({ 'out/b.ts': remote('{}') })
    expect(names((await project.update(project.path('src/a.ts'))).vanished)).toEqual(['run'])
    expect(await project.update(project.path('out/b.ts'))).toMatchObject({ appeared: [] })
    expect(await project.update(project.path('nowhere.ts'))).toMatchObject({ vanished: [] })
    project.write({ '.gitignore': '' })
    expect(names((await project.update(project.path('.gitignore'))).appeared)).toEqual(['run'])
  })

  test('a shared constant changes the endpoints of its functions', async () => {
    using project = createTestProject({
      'src/config.ts': `export const base = { workers: 2 }`,
      'src/barrel.ts': `export * from './config'`,
      'src/a.ts': `import { base } from './barrel'\n${remote('{ ...base }')}`,
      'src/b.ts': remote('{}'),
    })
    await project.scan()
    expect(await project.config('a-run')).toMatchObject({ workers: { max: 2 } })
    project.write({ 'src/config.ts': `export const base = { workers: 5 }` })
    expect(await project.update(project.path('src/config.ts'))).toMatchObject({
      changed: [],
      endpoints: ['a-run'],
    })
    expect(await project.config('a-run')).toMatchObject({ workers: { max: 5 } })
    project.write({ 'src/config.ts': `export const base = { name: 'other' }` })
    expect(await project.update(project.path('src/config.ts'))).toMatchObject({
      changed: [{ endpoint: 'other' }],
      endpoints: ['a-run', 'other'],
    })
  })

  test('a superclass changes the methods', async () => {
    using project = createTestProject({
      'src/base.ts': `export class Base { load() {} }`,
      'src/a.ts': `import { Base } from './base'\n${head}export const Model = remote({}, class extends Base { run() {} })`,
    })
    await project.scan()
    project.write({ 'src/base.ts': `export class Base { load() {} save() {} }` })
    const { changed } = await project.update(project.path('src/base.ts'))
    expect(changed[0]!.callables.map(({ name }) => name).sort()).toEqual(['load', 'run', 'save'])
  })

  test('what a config executes changes it, and a body does not run it again', async () => {
    const source = (body: string) =>
      `import { count } from './count'\n${head}export const run = remote({ workers: count() }, async () => ${body})`
    using project = createTestProject({
      'src/count.ts': `export const count = () => 2`,
      'src/a.ts': source('1'),
    })
    await project.scan()
    const first = await project.config('a-run')
    expect(await project.config('a-run')).toBe(first)
    project.write({ 'src/a.ts': source('2') })
    expect(await project.update(project.path('src/a.ts'))).toMatchObject({ endpoints: ['a-run'] })
    expect(await project.config('a-run')).toEqual(first)
    project.write({ 'src/count.ts': `export const count = () => 3` })
    expect(await project.update(project.path('src/count.ts'))).toMatchObject({ endpoints: ['a-run'] })
    expect(await project.config('a-run')).toMatchObject({ workers: { max: 3 } })
    project.write({ 'src/b.ts': remote('{}') })
    expect(await project.update(project.path('src/b.ts'))).toMatchObject({
      endpoints: expect.arrayContaining(['b-run']),
    })
  })

  test('a barrel that begins, changes and ceases to give remote', async () => {
    using project = createTestProject({
      'src/flash.ts': 'export {}',
      'src/a.ts': `import { gpu } from './flash'\nexport const run = gpu({}, ${fn})`,
    })
    await project.scan()
    expect(project.functions()).toEqual([])
    const file = project.path('src/flash.ts')
    project.write({ 'src/flash.ts': `export { remote as gpu } from 'unplugin-flash'` })
    expect(names((await project.update(file)).appeared)).toEqual(['run'])
    project.write({ 'src/flash.ts': `export { remote as card } from 'unplugin-flash'` })
    expect(names((await project.update(file)).vanished)).toEqual(['run'])
    project.write({ 'src/a.ts': `import { remote } from './flash'\nexport const run = remote({}, ${fn})` })
    await project.update(project.path('src/a.ts'))
    project.write({ 'src/flash.ts': `export * from 'unplugin-flash'` })
    expect(names((await project.update(file)).appeared)).toEqual(['run'])
    project.remove('src/flash.ts')
    expect(names((await project.update(file)).vanished)).toEqual(['run'])
    project.write({ 'src/flash.ts': `export * from 'unplugin-flash'` })
    expect(names((await project.update(file)).appeared)).toEqual(['run'])
  })

  test('an error is told while the functions stay known, and gone when it is corrected', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await project.scan()
    const file = project.path('src/a.ts')
    const [fact] = project.functions()
    project.write({ 'src/a.ts': `${head}export const run = remote({}, ` })
    const nothing = { appeared: [], changed: [], vanished: [], endpoints: [] }
    expect(await project.update(file)).toEqual(nothing)
    expect(project.problems()).toMatchObject([{ code: 'SYNTAX_ERROR', at: { file: 'src/a.ts' } }])
    expect(project.functions()).toEqual([fact])
    project.write({ 'src/a.ts': remote('{}') })
    expect(await project.update(file)).toEqual(nothing)
    expect(project.problems()).toEqual([])
    project.write({ 'src/a.ts': 'export {' })
    expect(names((await project.update(file)).vanished)).toEqual(['run'])
  })

  test('a constant that cannot be parsed is told with its place, and the function stays', async () => {
    using project = createTestProject({
      'src/config.ts': `export const name = 'other'`,
      'src/a.ts': `import { name } from './config'\n${remote('{ name }')}`,
    })
    await project.scan()
    project.write({ 'src/config.ts': 'export const name = ' })
    expect(await project.update(project.path('src/config.ts'))).toMatchObject({
      changed: [{ endpoint: 'a-run' }],
    })
    await expect(project.config('a-run')).rejects.toMatchObject({
      code: 'SYNTAX_ERROR',
      at: { file: 'src/config.ts', line: 1 },
    })
  })

  test('another name of the package is another identity', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await project.scan()
    const [before] = project.functions()
    project.write({ 'package.json': '{ "name": "other" }' })
    const { appeared, vanished } = await project.update(project.path('package.json'))
    expect([names(appeared), names(vanished)]).toEqual([['run'], ['run']])
    expect(project.functions()[0]!.id).not.toBe(before!.id)
  })

  test('edits at the same time are taken in turn', async () => {
    using project = createTestProject({})
    const files = Array.from({ length: 20 }, (_, index) => `src/f${index}.ts`)
    const scanned = project.scan()
    for (const file of files) project.write({ [file]: remote('{}') })
    await Promise.all([scanned, ...files.map((file) => project.update(project.path(file)))])
    expect(project.functions()).toHaveLength(20)
  })
})

describe('analyze, for the transform hook', () => {
  test('the facts come with the analysis, from memory while the text is the same', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await project.scan()
    const file = project.path('src/a.ts')
    const analysis = await project.analyze(remote('{}'), file)
    expect(analysis!.facts).toEqual(project.functions())
    expect(await project.analyze(remote('{}'), `${file}?v=1`)).toBe(analysis)
    const server = rewriteModule(analysis!, { kind: 'server' }).code
    expect(server).toContain('"name":"a-run"')
  })

  test('what the module graph has outside the root is known too', async () => {
    using outside = createTestProject({ 'package.json': '{ "name": "shared-lib" }', 'src/x.ts': '' })
    using project = createTestProject({})
    await project.scan()
    await project.analyze(remote('{}'), outside.path('src/x.ts'))
    expect(project.functions()).toMatchObject([
      { package: 'shared-lib', prefix: 'shared-lib/x', endpoint: 'shared-lib-x-run' },
    ])
    await project.scan()
    expect(project.functions()).toHaveLength(1)
  })

  test('text without functions is nothing, and takes none away', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    await project.scan()
    expect(await project.analyze('export default 1', project.path('src/a.ts'))).toBeNull()
    expect(
      await project.analyze(`export default ${JSON.stringify(remote('{}'))}`, project.path('src/a.ts')),
    ).toBeNull()
    expect(project.functions()).toHaveLength(1)
    expect(project.hasFunctions(project.path('src/b.ts'))).toBe(false)
  })

  test('what is wrong is thrown each time, and stays a problem until the file is read again', async () => {
    using project = createTestProject({ 'src/a.ts': remote('{}') })
    const bad = `${head}export let run = remote({}, ${fn})`
    const file = project.path('src/a.ts')
    await expect(project.analyze(bad, file)).rejects.toMatchObject({ code: 'REMOTE_NOT_CONST' })
    await expect(project.analyze(bad, file)).rejects.toMatchObject({ code: 'REMOTE_NOT_CONST' })
    expect(project.problems()).toHaveLength(1)
    await project.update(file)
    expect(project.problems()).toEqual([])
  })
})

test('a host that fails is not taken for a missing file', async () => {
  using project = createTestProject(
    { 'src/a.ts': `import { x } from './x'\n${remote('{ name: x }')}` },
    { host: { load: async () => null, resolve: () => Promise.reject(new Error('the host is gone')) } },
  )
  await expect(project.scan()).rejects.toThrow('the host is gone')
})

test('5,000 files are read in a moment', async () => {
  const filler = `export const value = 1\n`.repeat(40)
  const files = Array.from({ length: 5000 }, (_, index) => [
    `src/d${index % 100}/f${index}.ts`,
    index % 500 === 0 ? remote('{}') : filler,
  ])
  using project = createTestProject(Object.fromEntries(files))
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    await project.scan()
    times.push(performance.now() - start)
  }
  expect(project.functions()).toHaveLength(10)
  // About 100 ms on a quiet machine; a busy one leaves at least one round alone.
  expect(Math.min(...times)).toBeLessThan(2000)
})
