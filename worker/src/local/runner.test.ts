import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRunnerLoader } from './runner.ts'
import { serveChannel } from './serve.ts'
import {
  createPair,
  createParent,
  createProject,
  type Parent,
  type Project,
  workerModule,
} from './testing.ts'

let project: Project
let parent: Parent
let end: () => Promise<void>

const quiet = { stdout: { write: () => true }, stderr: { write: () => true } }

beforeEach(async () => {
  project = await createProject({
    'deep/word.ts': "export const word = 'one'\n",
    'helper.ts': "import { word } from './deep/word.ts'\nexport const read = () => word\n",
    'main.ts': workerModule(`import { read } from './helper.ts'
__flash_define(__flash_functions, 'read', {}, () => read())
__flash_define(__flash_functions, 'slow', {}, async (before: Promise<void>) => {
  await new Promise((done) => (globalThis.__release = done))
  return read()
})
`),
  })
  const pair = createPair()
  parent = createParent(pair.wire)
  Object.assign(parent.answers, project.answers)
  end = serveChannel(pair.channel, createRunnerLoader, { streams: quiet })
  parent.say({ t: 'start', root: project.root, endpoint: 'test', unnamed: [] })
})

afterEach(async () => {
  await end()
  await project.close()
})

const edit = (path: string, text: string) =>
  parent.say({ t: 'invalidate', files: [project.write(path, text)] })
const caught = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error,
  )
const release = () => (globalThis as unknown as { __release(): void }).__release()

test('an edit two imports down is in the next call', async () => {
  expect(await parent.call('read')).toBe('one')
  edit('deep/word.ts', "export const word = 'two'\n")
  expect(await parent.call('read')).toBe('two')
})

test('a call in flight finishes on the code it began with', async () => {
  const slow = parent.call('slow')
  await parent.hear('started')
  edit('deep/word.ts', "export const word = 'two'\n")
  expect(await parent.call('read')).toBe('two')
  release()
  expect(await slow).toBe('one')
})

test('without an edit a call asks the dev server for nothing', async () => {
  await parent.call('read')
  const before = parent.said.filter(({ t }) => t === 'request').length
  await Promise.all([parent.call('read'), parent.call('read')])
  expect(parent.said.filter(({ t }) => t === 'request')).toHaveLength(before)
})

test('concurrent first calls load the module once', async () => {
  project.write(
    'main.ts',
    workerModule(`globalThis.__loads = (globalThis.__loads ?? 0) + 1
__flash_define(__flash_functions, 'loads', {}, () => globalThis.__loads)`),
  )
  expect(await Promise.all([parent.call('loads'), parent.call('loads'), parent.call('loads')])).toEqual([
    1, 1, 1,
  ])
  delete (globalThis as { __loads?: number }).__loads
})

for (const [what, text, fixed] of [
  ['a syntax error', 'export const word = = 1\n', "export const word = 'fixed'\n"],
  ['a missing file', "export { word } from './nowhere.ts'\n", "export const word = 'fixed'\n"],
  [
    'an error at the top of the module',
    "throw new Error('no')\nexport const word = 1\n",
    "export const word = 'fixed'\n",
  ],
] as const) {
  test(`${what} fails the calls until it is corrected`, async () => {
    await parent.call('read')
    edit('deep/word.ts', text)
    expect(await caught(parent.call('read'))).toMatchObject({
      code: 'MODULE_FAILED',
      message: expect.stringMatching(/^main\.ts could not be loaded: /),
    })
    expect(await caught(parent.call('read'))).toMatchObject({ code: 'MODULE_FAILED' })
    edit('deep/word.ts', fixed)
    expect(await parent.call('read')).toBe('fixed')
  })
}

test('an error at the top of a module is placed where the author wrote it', async () => {
  edit('deep/word.ts', "interface Types { are: 'gone' }\n\n  throw new Error('no')\nexport const word = 1\n")
  const error = await caught(parent.call('read'))
  expect(error.data).toEqual({ at: { file: 'deep/word.ts', line: 3, column: 9 } })
  expect(error.cause).toMatchObject({ message: 'no' })
})

test('a module that failed for one entry is loaded again for another', async () => {
  edit(
    'deep/word.ts',
    "globalThis.__tries = (globalThis.__tries ?? 0) + 1\nif (globalThis.__tries === 1) throw new Error('first time')\nexport const word = 'later'\n",
  )
  expect(await caught(parent.call('read'))).toMatchObject({ code: 'MODULE_FAILED' })
  expect(await parent.call('read')).toBe('later')
  delete (globalThis as { __tries?: number }).__tries
})

test('a package that is not installed is named, with the command that installs it', async () => {
  edit('deep/word.ts', "import '@scope/not-here/sub'\nexport const word = 1\n")
  expect(await caught(parent.call('read'))).toMatchObject({
    code: 'DEPENDENCY_NOT_INSTALLED',
    hint: 'run: npm install @scope/not-here',
  })
})

test('an error the dev server has told already passes through', async () => {
  await parent.call('read')
  edit('deep/word.ts', "export const word = 'two'\n")
  parent.answers.fetchModule = () => {
    throw Object.assign(new Error('told by the server'), {
      code: 'SYNTAX_ERROR',
      data: { at: { file: 'deep/word.ts', line: 1, column: 1 } },
    })
  }
  expect(await caught(parent.call('read'))).toMatchObject({
    code: 'SYNTAX_ERROR',
    message: 'told by the server',
    data: { at: { line: 1 } },
  })
})

test('an external module that fails to load fails the call, not the worker', async () => {
  project.write(
    'node_modules/broken/package.json',
    '{"name":"broken","type":"module","exports":"./index.js"}',
  )
  project.write('node_modules/broken/index.js', "throw new Error('broken package')\n")
  edit('deep/word.ts', "import 'broken'\nexport const word = 1\n")
  expect(await caught(parent.call('read'))).toMatchObject({
    code: 'MODULE_FAILED',
    message: expect.stringContaining('broken package'),
  })
  edit('deep/word.ts', "export const word = 'fixed'\n")
  expect(await parent.call('read')).toBe('fixed')
})

test('an edit while a module is still loading wins', async () => {
  edit(
    'deep/word.ts',
    "await new Promise((done) => (globalThis.__release = done))\nexport const word = 'old'\n",
  )
  const first = parent.call('read')
  await parent.hear(
    'request',
    ({ name, data }) => name === 'fetchModule' && String(data[0]).includes('word.ts'),
  )
  while (!('__release' in globalThis)) await new Promise((done) => setTimeout(done, 5))
  edit('deep/word.ts', "export const word = 'new'\n")
  expect(await parent.call('read')).toBe('new')
  release()
  expect(await first).toBe('new')
})

test('a function that is gone from its module', async () => {
  expect(await caught(parent.call('toString'))).toMatchObject({
    code: 'UNKNOWN_FUNCTION',
    message: expect.stringContaining('"toString"'),
  })
  edit('main.ts', 'export const nothing = 1\n')
  expect(await caught(parent.call('read'))).toMatchObject({ code: 'UNKNOWN_FUNCTION' })
})

test("the project's own Vite is taken when it has one", async () => {
  symlinkSync(resolve(import.meta.dirname, '../../../node_modules'), join(project.root, 'node_modules'))
  const loader = await createRunnerLoader({
    root: project.root,
    ask: (name, data) => Promise.resolve(project.answers[name]!(...data)),
  })
  expect(await loader.load('/helper.ts')).toHaveProperty('read')
})
