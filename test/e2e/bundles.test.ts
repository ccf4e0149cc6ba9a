import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { buildProject, readFiles, readManifest, runJob } from '../helpers/build.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository, viteConfig } from '../helpers/project.ts'
import { createWorkerPlane } from '../helpers/worker-plane.ts'

let project: Project

afterEach(() => project?.remove())

/** What a function may be made of, beside plain code. */
const richFiles: Record<string, string> = {
  'tsconfig.json': '{ "compilerOptions": { "paths": { "#lib/*": ["./src/lib/*"] } } }',
  '.env.production': 'VITE_GREETING=bonjour\nPRIVATE_WORD=never-in-a-bundle\n',
  'vite.config.ts': viteConfig(
    '',
    `resolve: { alias: { '@text': new URL('./src/text', import.meta.url).pathname }, tsconfigPaths: true },
  define: { __RELEASE__: JSON.stringify('r-42') },`,
  ),
  'src/main.ts': "import { rich } from './rich.ts'\nrich(1).then(console.log)\n",
  'src/rich.ts': `import { readFileSync } from 'node:fs'
import { remote } from 'unplugin-flash'
import { double } from '#lib/double'
import { shout } from '@text/shout'
import words from './words.json'
import prompt from './prompt.txt?raw'
import common from './legacy.cjs'
declare const __RELEASE__: string
enum Mood { Calm = 'calm' }
export const rich = remote({ name: 'rich', env: ['PRIVATE_WORD'] }, async (n: number) => {
  const { later } = await import('./later.ts')
  return {
    doubled: double(n),
    shout: shout('hey'),
    words,
    prompt: prompt.trim(),
    common: common.answer,
    mood: Mood.Calm,
    later: later(),
    release: __RELEASE__,
    env: [import.meta.env.MODE, import.meta.env.PROD, import.meta.env.SSR, import.meta.env.VITE_GREETING],
    private: (import.meta.env as any).PRIVATE_WORD ?? null,
    fromProcess: process.env.PRIVATE_WORD ?? null,
    asset: readFileSync(new URL('./weights.bin', import.meta.url), 'utf8'),
  }
})
`,
  'src/lib/double.ts': 'export const double = (n: number): number => n * 2\n',
  'src/text/shout.ts': 'export const shout = (text: string) => text.toUpperCase()\n',
  'src/words.json': '{ "first": "alpha", "list": [1, 2] }',
  'src/prompt.txt': 'you are a careful reader\n',
  'src/legacy.cjs': "const { join } = require('node:path')\nmodule.exports = { answer: join('a', 'b') }\n",
  'src/later.ts': "export const later = () => 'loaded later'\n",
  'src/weights.bin': 'not really weights',
}

test('a bundle holds all that its function needs, and runs by itself', async () => {
  project = createProject(richFiles)
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const { result } = await runJob(project, 'rich', { n: 21 }, { PRIVATE_WORD: 'at run time' })
  expect(result).toEqual({
    output: {
      doubled: 42,
      shout: 'HEY',
      words: { first: 'alpha', list: [1, 2] },
      prompt: 'you are a careful reader',
      common: 'a/b',
      mood: 'calm',
      later: 'loaded later',
      release: 'r-42',
      env: ['production', true, true, 'bonjour'],
      private: null,
      fromProcess: 'at run time',
      asset: 'not really weights',
    },
  })
  const text = [...readFiles(project.path('.flash/build')).values()].join('\n')
  expect(text).not.toContain('never-in-a-bundle')
  expect(text).not.toContain(project.root)
})

test('a bundle that the platform starts takes jobs from its queue', async () => {
  project = createProject({
    'vite.config.ts': viteConfig(),
    'src/main.ts': "import { Model, numbers } from './work.ts'\nconsole.log(Model, numbers)\n",
    'src/work.ts': `import { getContext, remote, RemoteError } from 'unplugin-flash'
const work = { name: 'work', maxConcurrency: 2 }
export const numbers = remote(work, function* (n: number) {
  for (let i = 0; i < n; i++) yield { i, at: new Date(i) }
})
export const refuse = remote(work, async (lux: number) => {
  getContext().progress({ percent: 10 })
  throw new RemoteError('TOO_DARK', 'the picture is dark', { data: { lux } })
})
export const Model = remote(work, class {
  calls = 0
  name: string
  constructor(name: string) { this.name = name }
  async ask(question: string) { return [this.name, question, ++this.calls] }
})
`,
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const plane = await createWorkerPlane()
  const child = spawn(process.execPath, [project.path('.flash/build/work/main.mjs')], {
    env: { PATH: process.env.PATH!, ...plane.env, FLASH_ANY_NODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise((resolve) => child.once('exit', resolve))
  try {
    const ours = (fn: string, more: object) => ({ 'flash:call': { v: 1, fn, ...more } })
    const first = { at: '1970-01-01T00:00:00.000Z', i: 0 }
    expect(await plane.run('a', { method: 'numbers', n: 1 })).toEqual({ output: [first] })
    expect(plane.posted('a')).toEqual([{ output: first }])
    const refused = await plane.run('b', { ...ours('refuse', {}), lux: 3 })
    expect(JSON.parse(refused.error)).toMatchObject({
      error_type: 'RemoteError',
      error_message: 'the picture is dark',
      error_traceback: expect.stringContaining('src/work.ts'),
      flash: { code: 'TOO_DARK', data: { lux: 3 } },
    })
    expect(plane.posted('b')).toEqual([{ status: 'IN_PROGRESS', output: { percent: 10 } }])
    for (const calls of [1, 2]) {
      const input = { ...ours('ask', { new: ['small'] }), question: 'why' }
      expect(await plane.run(`c${calls}`, input)).toEqual({ output: ['small', 'why', calls] })
    }
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await plane.close()
  }
})

test('the manifest says what there is, and the table what it weighs', async () => {
  project = createProject({ ...appFiles, '.env': 'TOKEN=planted-token' })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const manifest = readManifest(project)
  expect(manifest).toMatchObject({ schemaVersion: 1, app: 'fixture', node: 24 })
  expect(Object.keys(manifest.endpoints)).toEqual(Object.keys(manifest.endpoints).sort())
  expect(manifest.endpoints.relay).toMatchObject({
    kind: 'queue',
    calls: ['basics'],
    externals: [],
    functions: [{ exportPath: 'relay', source: 'src/relay.ts:3', kind: 'function' }],
  })
  expect(manifest.endpoints.basics!.functions.map(({ exportPath }) => exportPath)).toContain('greet')
  for (const [name, { bundle }] of Object.entries(manifest.endpoints)) {
    expect(output).toContain(`${name} `)
    expect(output).toContain(bundle.hash.slice(0, 12))
  }
  expect(output).toMatch(/endpoint +functions +size +gzip +externals +hash/)
  expect(output).toMatch(/kept out of the app: \d+ modules?/)
})

test('only the code of its own endpoint is in a bundle', async () => {
  project = createProject(appFiles)
  await buildProject(project)
  const files = readFiles(project.path('.flash/build'))
  expect(files.get('relay/main.mjs')).toContain('relayed: ')
  expect(files.get('relay/main.mjs')).not.toContain('no seats left')
  expect(files.get('basics/main.mjs')).not.toContain('relayed: ')
  expect(files.get('counter/main.mjs')).not.toContain('model-1')
})

test('two builds in two folders are byte for byte the same, and one edit changes the endpoints that use it', async () => {
  const files = { ...appFiles, '.flash/key': `${'k'.repeat(42)}w` }
  project = createProject(files)
  const other = createProject(files)
  try {
    expect((await buildProject(project)).code).toBe(0)
    expect((await buildProject(other)).code).toBe(0)
    const first = readFiles(project.path('.flash/build'))
    const second = readFiles(other.path('.flash/build'))
    expect([...second.keys()]).toEqual([...first.keys()])
    for (const [name, text] of first) expect(second.get(name) === text, name).toBe(true)
    const pages = readFiles(project.path('dist'))
    for (const [name, text] of readFiles(other.path('dist')))
      expect(pages.get(name) === text, name).toBe(true)

    await other.edit('src/text/mark.ts', "'!'", "'?'")
    expect((await buildProject(other)).code).toBe(0)
    const third = readFiles(other.path('.flash/build'))
    const changed = [...third].filter(([name, text]) => first.get(name) !== text).map(([name]) => name)
    expect(changed).toContain('basics/main.mjs')
    expect(changed.every((name) => /^(?:basics\/|flash_manifest)/.test(name))).toBe(true)
  } finally {
    other.remove()
  }
})

describe('leaks end the build', () => {
  const leak = async (files: Record<string, string>, env = {}) => {
    project = createProject({ ...appFiles, ...files })
    const { code, output } = await buildProject(project, [], env)
    expect(code, output).toBe(1)
    expect(output).toContain('CLIENT_LEAK')
    expect(existsSync(project.path('dist/index.html'))).toBe(false)
    expect(existsSync(project.path('.flash/build/flash_manifest.json'))).toBe(false)
    return output
  }

  test('a file for servers, with the way it came', async () => {
    const output = await leak({
      'src/main.ts': "import './page/start.ts'\n",
      'src/page/start.ts': "// a line\nimport { rows } from '../store.server.ts'\nconsole.log(rows)\n",
      'src/store.server.ts': "export const rows = ['row']\n",
    })
    expect(output).toContain('src/store.server.ts is a file for servers')
    expect(output).toContain('src/main.ts:1 imports src/page/start.ts')
    expect(output).toContain('src/page/start.ts:2 imports src/store.server.ts')
  })

  test('the value of a variable of an endpoint, which is not repeated', async () => {
    const output = await leak(
      {
        'src/main.ts': "import './ai.ts'\nconsole.log('planted-secret-value')\n",
        'src/ai.ts':
          "import { remote } from 'unplugin-flash'\nexport const ai = remote({ name: 'ai-one', env: ['AI_TOKEN'] }, async () => process.env.AI_TOKEN)\n",
      },
      { AI_TOKEN: 'planted-secret-value' },
    )
    expect(output).toContain('the value of AI_TOKEN')
    expect(output.replace(/console\.log.*/g, '')).not.toContain('planted-secret-value')
  })

  test('a key of an account', async () => {
    const key = `rpa_${'9fK2mQx7Lw'.repeat(4)}`
    const output = await leak({ 'src/main.ts': `console.log('${key}')\nimport './basics.ts'\n` })
    expect(output).toContain('a key of a Runpod account')
  })

  test('texts of a function that another plugin copied', async () => {
    const copies = `{ name: 'copies', generateBundle(_, files) { for (const file of Object.values(files)) if (file.code) file.code += ';["no seats left at all","nobody waits here"]' } }`
    const output = await leak({
      'vite.config.ts': viteConfig().replace('plugins: [', `plugins: [${copies}, `),
      'src/basics.ts': appFiles['src/basics.ts']!.replace('no seats left', 'no seats left at all').replace(
        "'waited'",
        "'nobody waits here'",
      ),
    })
    expect(output).toContain('src/basics.ts')
  })

  test('a file with functions by its address', async () => {
    const output = await leak({
      'src/main.ts': "import './basics.ts'\nconsole.log(new URL('./relay.ts', import.meta.url).href)\n",
    })
    expect(output).toContain('code of the functions in src/relay.ts')
  })

  test('a key in many lines, written as text of a program', async () => {
    const line = () => Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join('')
    const key = `-----BEGIN KEY-----\n${line()}\n${line()}\n-----END KEY-----\n`
    const output = await leak(
      {
        'vite.config.ts': viteConfig('', 'define: { __KEY__: JSON.stringify(process.env.SIGNING_KEY) },'),
        'src/main.ts': "import './signer.ts'\ndeclare const __KEY__: string\nconsole.log(__KEY__)\n",
        'src/signer.ts':
          "import { remote } from 'unplugin-flash'\nexport const sign = remote({ env: ['SIGNING_KEY'] }, async () => 1)\n",
      },
      { SIGNING_KEY: key },
    )
    expect(output).toContain('the value of SIGNING_KEY')
  })

  test('a key among the files that are served as they are', async () => {
    const output = await leak({ 'public/config.js': `window.key = 'rpa_${'9fK2mQx7Lw'.repeat(4)}'\n` })
    expect(output).toContain('a key of a Runpod account')
    expect(output).toContain('public/config.js')
  })

  test('the module with the key of the project', async () => {
    const output = await leak({
      'src/main.ts':
        "import { createFlashHandler } from 'unplugin-flash/server'\nimport './basics.ts'\nconsole.log(createFlashHandler)\n",
    })
    expect(output).toContain('only in code that runs on a server')
  })
})

test('source maps have stubs only, also behind a plugin that changed the files before', async () => {
  const before = `{ name: 'before', enforce: 'pre', async transform(code, id) { if (!id.endsWith('.ts')) return null; const { MagicString } = await import('magic-string'); const text = new MagicString(code); text.prepend('/* before */ '); return { code: text.toString(), map: text.generateMap({ source: id, includeContent: true, hires: true }) } } }`
  project = createProject({
    ...appFiles,
    'vite.config.ts': viteConfig('', 'build: { sourcemap: true },').replace(
      'plugins: [',
      `plugins: [${before}, `,
    ),
    'src/main.ts': "import { score } from './score.ts'\nscore(1).then(console.log)\n",
    'src/score.ts':
      "import { remote } from 'unplugin-flash'\nexport const score = remote({}, async (a: number) => {\n  // the formula\n  return a * 1.375 + 424242\n})\n",
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const files = readFiles(project.path('dist'))
  expect([...files.keys()].some((name) => name.endsWith('.map'))).toBe(true)
  expect(/1\.375|424242|the formula/.exec([...files.values()].join('\n'))?.[0]).toBeUndefined()
})

test('a page keeps its own text in source maps beside a file of the same name with functions', async () => {
  project = createProject({
    ...appFiles,
    'vite.config.ts': viteConfig('', 'build: { sourcemap: true },'),
    'src/main.ts':
      "import { total } from './util.ts'\nimport { price } from '../features/cart/src/util.ts'\nprice(1).then((n) => console.log(total(n)))\n",
    'src/util.ts': "export const total = (n: number) => `the page's own sum ${n}`\n",
    'features/cart/src/util.ts':
      "import { remote } from 'unplugin-flash'\nexport const price = remote({}, async (n: number) => n * 424242)\n",
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const maps = [...readFiles(project.path('dist'))].filter(([name]) => name.endsWith('.map'))
  const all = maps.map(([, text]) => text).join('\n')
  expect(all).not.toContain('424242')
  const map = maps
    .map(([, text]) => JSON.parse(text))
    .find(({ sources }) => sources.includes('../../src/util.ts'))
  expect(map.sourcesContent[map.sources.indexOf('../../src/util.ts')]).toContain("the page's own sum")
})

test('a leak after a good build leaves nothing of that', async () => {
  project = createProject(appFiles)
  expect((await buildProject(project)).code).toBe(0)
  await project.write('src/store.server.ts', "export const rows = ['row']\n")
  await project.edit('src/main.ts', /^/, "import { rows } from './store.server.ts'\nconsole.log(rows)\n")
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(1)
  expect(existsSync(project.path('dist/index.html'))).toBe(false)
  expect(existsSync(project.path('.flash/build/flash_manifest.json'))).toBe(false)
})

test('a web worker of the page gets stubs too', async () => {
  project = createProject({
    ...appFiles,
    'src/main.ts':
      "import inline from './inline.ts?worker&inline'\nnew Worker(new URL('./beside.ts', import.meta.url), { type: 'module' })\nconsole.log(inline)\n",
    'src/beside.ts': "import { double } from './double.ts'\ndouble(1).then(console.log)\n",
    'src/inline.ts': "import { double } from './double.ts'\ndouble(2).then(console.log)\n",
    'src/double.ts':
      "import { remote } from 'unplugin-flash'\nexport const double = remote({ cpu: 'cpu3g-2-8' }, async (n: number) => n * 424242)\n",
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const shipped = [...readFiles(project.path('dist')).values()].join('\n')
  expect(/424242|cpu3g/.exec(shipped)?.[0]).toBeUndefined()
  expect(shipped).toMatch(/[a-z2-7]{16}\.[a-z2-7]{16}/)
})

test('what a page says by itself is no leak', async () => {
  project = createProject({
    ...appFiles,
    'index.html':
      '<!doctype html><html lang="en"><head><title>Fixture</title><script type="application/json">{}</script></head><body><input placeholder="Paste your text here"><input placeholder="rpa_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"><script type="module" src="/src/main.ts"></script></body></html>',
    'src/main.ts':
      "import { check } from './check.ts'\nimport './page.css'\nconsole.log('Paste your ' + 'text here', 'localhost')\ncheck('').catch(console.error)\n",
    'src/page.css': 'main::before { content: "Paste your text here" }',
    'src/check.ts': `import { remote } from 'unplugin-flash'
export const check = remote({ env: ['DB_HOST', 'LOG_LEVEL'] }, async (text: string) => {
  if (!text) throw new Error('Paste your text here')
  return new Response(text, { headers: { 'content-type': 'application/json' } }).text()
})
`,
  })
  const { code, output } = await buildProject(project, [], { DB_HOST: 'localhost', LOG_LEVEL: 'undefined' })
  expect(code, output).toBe(0)
})

describe('what cannot be bundled ends the build', () => {
  for (const [what, files, expected] of [
    [
      'an import that leads nowhere',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nimport { lost } from './lost.ts'\nexport const a = remote({}, async () => lost)\n",
      },
      /IMPORT_NOT_FOUND[\s\S]*lost\.ts[\s\S]*src\/bad\.ts/,
    ],
    [
      'a package in no package.json',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nimport thing from 'not-a-package-of-this-project'\nexport const a = remote({}, async () => thing)\n",
      },
      /not-a-package-of-this-project[\s\S]*package\.json/,
    ],
    [
      'a syntax error in a file that only a function imports',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nimport { half } from './half.ts'\nexport const a = remote({}, async () => half)\n",
        'src/half.ts': 'export const half = = 1\n',
      },
      /src\/half\.ts/,
    ],
    [
      'a config that is another one each time',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nexport const a = remote({ name: 'n-' + Math.random().toString(36).slice(2) }, async () => 1)\n",
      },
      /src\/bad\.ts/,
    ],
    [
      'a reserved path',
      {
        'src/rpc.ts': "import { remote } from 'unplugin-flash'\nexport const a = remote({}, async () => 1)\n",
      },
      /RESERVED_PATH[\s\S]*src\/rpc\.ts|src\/rpc\.ts[\s\S]*RESERVED_PATH/,
    ],
  ] as const) {
    test(what, async () => {
      project = createProject(appFiles)
      expect((await buildProject(project)).code).toBe(0)
      for (const [file, text] of Object.entries(files)) await project.write(file, text)
      const { code, output } = await buildProject(project)
      expect(code, output).toBe(1)
      expect(output).toMatch(expected)
      expect(existsSync(project.path('dist/index.html'))).toBe(false)
      expect(existsSync(project.path('.flash/build/flash_manifest.json'))).toBe(false)
    })
  }
})

test('a package that is only named in package.json is left outside, and said so', async () => {
  project = createProject({
    ...appFiles,
    'package.json':
      '{ "name": "fixture", "type": "module", "dependencies": { "heavy-native-thing": "1.2.3" } }',
    'src/heavy.ts':
      "import { remote } from 'unplugin-flash'\nimport heavy from 'heavy-native-thing'\nexport const weigh = remote({ dependencies: ['heavy-native-thing@1.2.3'] }, async () => heavy())\n",
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  const { externals } = readManifest(project).endpoints['heavy-weigh']!
  expect(externals).toEqual([{ name: 'heavy-native-thing', version: '1.2.3', reason: 'listed' }])
  expect(JSON.parse(project.read('.flash/build/heavy-weigh/package.json')).dependencies).toEqual({
    'heavy-native-thing': '1.2.3',
  })
  expect(output).toContain('heavy-native-thing@1.2.3')
})

test('without functions nothing is written', async () => {
  project = createProject({ 'src/main.ts': "document.title = 'plain'\n" })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  expect(existsSync(project.path('.flash/build'))).toBe(false)
  expect([...readFiles(project.path('dist')).keys()]).not.toContain('.flash-facts')
})

test('a watching build makes only those bundles anew whose files changed', async () => {
  project = createProject(appFiles)
  const { VITEST: _, NODE_ENV: __, ...env } = process.env
  const vite = join(repository, 'node_modules/vite/bin/vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--watch'], {
    cwd: project.root,
    env: { ...env, NO_COLOR: '1' },
  })
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  const rows = () => output.match(/^ {2}\S+ .*[0-9a-f]{12}$/gm)?.map((row) => row.trim().split(' ')[0]) ?? []
  // One edit may wake the watcher twice; a build that finds nothing to do prints no row.
  const untilBuilt = (wanted: unknown) =>
    expect.poll(() => output.includes('built in') && rows(), { timeout: 30_000 }).toEqual(wanted)
  try {
    await untilBuilt(expect.arrayContaining(['relay', 'stateful']))
    output = ''
    // Only a function imports it.
    await project.edit('src/model.ts', 'model-1', 'model-2')
    await untilBuilt(['stateful'])
    const { result } = await runJob(project, 'stateful', { question: 'q' })
    expect(result.output.model).toBe('model-2')
    output = ''
    await project.edit('src/basics.ts', 'no seats left', 'no seats at all')
    // `relay` has a stub out of the same file.
    await untilBuilt(['basics', 'relay'])
    output = ''
    await project.edit('src/basics.ts', 'export const sum =', 'export const sum = =')
    await expect.poll(() => output, { timeout: 30_000 }).toContain('src/basics.ts')
    expect(existsSync(project.path('.flash/build/flash_manifest.json'))).toBe(false)
    output = ''
    await project.edit('src/basics.ts', 'export const sum = =', 'export const sum =')
    await expect.poll(() => output, { timeout: 30_000 }).toContain('built in')
    expect(Object.keys(readManifest(project).endpoints)).toContain('relay')
    expect(existsSync(project.path('.flash/build/relay/main.mjs'))).toBe(true)
  } finally {
    child.kill()
  }
})
