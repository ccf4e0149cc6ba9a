import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { REPORT_GLOBAL } from './child.ts'
import { linesBefore, type Outcome, runModule } from './run.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-run-')))
const root = join(folder, 'project')
mkdirSync(root)
writeFileSync(join(root, 'inside.txt'), 'inside')
writeFileSync(join(folder, 'outside.txt'), 'outside')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (
  code: string,
  options: { env?: Record<string, string>; limitMs?: number } = {},
): Promise<Outcome> => runModule({ code, root, env: {}, ...options })

const report = (expression: string, before = '') => run(`${before}\n${REPORT_GLOBAL}({ a: ${expression} })`)

describe('configs that are data', () => {
  for (const [what, expression, data] of [
    [
      'plain values',
      `{ name: 'x', workers: [0, 3], flashboot: false, model: null }`,
      { name: 'x', workers: [0, 3], flashboot: false, model: null },
    ],
    ['undefined is left out', '{ a: undefined, b: 1, c: [undefined] }', { b: 1, c: [null] }],
    ['an object without prototype', `Object.assign(Object.create(null), { a: 1 })`, { a: 1 }],
    [
      'code at the top is only present',
      '{ setup: () => 1, input: new Map(), output: undefined }',
      { setup: true, input: true },
    ],
    [
      'the same object twice',
      '(() => { const x = { a: 1 }; return { x, y: x } })()',
      { x: { a: 1 }, y: { a: 1 } },
    ],
    ['a getter', '{ get a() { return 1 } }', { a: 1 }],
    ['nothing at all', 'undefined', undefined],
  ] as const) {
    test(what, async () =>
      expect(await report(expression)).toEqual({
        kind: 'values',
        values: { a: data === undefined ? {} : { data } },
      }),
    )
  }

  test('more text than a pipe holds', async () => {
    const outcome = await report(`{ args: 'x'.repeat(2_000_000) }`)
    expect(outcome).toMatchObject({
      kind: 'values',
      values: { a: { data: { args: 'x'.repeat(2_000_000) } } },
    })
  })

  test('what the module prints does not get into the answer', async () => {
    const noisy = `console.log('{"kind":"threw"}'); console.error('no'); process.stdout.write('x'.repeat(100_000))`
    expect(await report('1', noisy)).toEqual({ kind: 'values', values: { a: { data: 1 } } })
  })

  test('timers that go on do not keep it', async () => {
    expect(await report('1', 'setInterval(() => {}, 1000)')).toMatchObject({ kind: 'values' })
  })
})

describe('configs that are not data name path and value', () => {
  for (const [expression, path, what] of [
    ['{ env: { A: () => 1 } }', ['env', 'A'], 'is a function'],
    ['{ gpu: [1n] }', ['gpu', '0'], 'is 1n'],
    ['{ workers: NaN }', ['workers'], 'is NaN'],
    ['{ workers: Infinity }', ['workers'], 'is Infinity'],
    ['{ name: Symbol("x") }', ['name'], 'is Symbol(x)'],
    ['{ env: new Map() }', ['env'], 'is an instance of Map'],
    ['{ env: new (class Env {}) }', ['env'], 'is an instance of Env'],
    ['{ name: Promise.resolve("x") }', ['name'], 'is a promise'],
    ['Promise.resolve({})', [], 'is a promise'],
    ['(() => { const x = { y: {} }; x.y.z = x; return x })()', ['y', 'z'], 'contains itself'],
  ] as const)
    test(expression, async () =>
      expect(await report(expression)).toEqual({ kind: 'values', values: { a: { path, what } } }),
    )
})

describe('configs that do not come about', () => {
  test('a throw', async () => {
    const outcome = await run(
      `\nfunction pick() { throw new RangeError('no such card') }\n${REPORT_GLOBAL}({ a: pick() })`,
    )
    expect(outcome).toMatchObject({
      kind: 'threw',
      name: 'RangeError',
      message: 'no such card',
      stack: expect.stringContaining(`[eval1]:${linesBefore + 2}:`),
    })
  })
  for (const [what, code] of [
    ['something that is no error', `throw 'words'`],
    [
      'a rejection nobody handles',
      `Promise.reject('words'); await new Promise((resolve) => setTimeout(resolve, 1000))`,
    ],
    ['a throw in a getter', `${REPORT_GLOBAL}({ a: { get x() { throw 'words' } } })`],
  ] as const)
    test(what, async () => expect(await run(code)).toMatchObject({ kind: 'threw', message: 'words' }))

  test('an exit', async () => {
    expect(await run('process.exit(0)')).toMatchObject({
      kind: 'exited',
      stack: expect.stringContaining(`[eval1]:${linesBefore + 1}:`),
    })
  })
  test('an endless loop', async () => {
    expect(await run('for (;;);', { limitMs: 400 })).toEqual({ kind: 'timeout', limitMs: 400 })
  })
  test('a promise that never settles', async () => {
    expect(await run('await new Promise(() => {})')).toMatchObject({ kind: 'ended', exitCode: 13 })
  })
  test('an end without an answer shows what was printed', async () => {
    const outcome = await run(`process.stderr.write('last words'); process.reallyExit(3)`)
    expect(outcome).toMatchObject({
      kind: 'ended',
      exitCode: 3,
      output: expect.stringContaining('last words'),
    })
  })
  test('code that cannot be parsed', async () => {
    expect(await run('const')).toMatchObject({
      kind: 'ended',
      output: expect.stringContaining('SyntaxError'),
    })
  })
})

describe('what it may do', () => {
  test('only the variables it is given', async () => {
    const outcome = await runModule({
      code: `${REPORT_GLOBAL}({ a: { ...process.env } })`,
      root,
      env: { MODE: 'test' },
    })
    expect(outcome).toMatchObject({ values: { a: { data: { MODE: 'test' } } } })
    expect(JSON.stringify(outcome)).not.toContain('PATH')
  })
  test('files below the root are read, others are not, nothing is written or started', async () => {
    const code = `
      import fs from 'node:fs'
      import { spawnSync } from 'node:child_process'
      const attempt = (run) => { try { return run() } catch (error) { return error.code } }
      ${REPORT_GLOBAL}({ a: [
        attempt(() => fs.readFileSync('inside.txt', 'utf8')),
        attempt(() => fs.readFileSync('../outside.txt', 'utf8')),
        attempt(() => fs.writeFileSync('made.txt', '')),
        attempt(() => spawnSync('node').pid),
      ] })`
    const denied = 'ERR_ACCESS_DENIED'
    expect(await run(code)).toEqual({
      kind: 'values',
      values: { a: { data: ['inside', denied, denied, denied] } },
    })
  })
})
