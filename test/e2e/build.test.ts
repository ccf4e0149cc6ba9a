import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository, viteConfig } from '../helpers/project.ts'
import { startVite } from '../helpers/vite.ts'

let project: Project

afterEach(() => project?.remove())

function build(args: string[] = []): Promise<{ code: number; output: string }> {
  const { VITEST: _, NODE_ENV: __, ...env } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'node_modules/vite/bin/vite.js'), 'build', ...args],
      { cwd: project.root, env: { ...env, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    )
  })
}

/** Everything a browser could ever get: chunks, maps and pages, as one text. */
function shipped(ending = ''): string {
  const folder = project.path('dist')
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}

const secretFiles = {
  'src/main.ts':
    "import { read } from './read.ts'\nimport { other } from './plain.js'\nread('x').then(console.log)\nother()\n",
  'src/read.ts': `import { readFileSync } from 'node:fs'
import { helper } from './helper.ts'
import { remote } from 'unplugin-flash'
const PLANTED_CONSTANT = 'planted-constant'
console.log('kept statement')
export const read = remote({ name: 'planted-name', env: { MODE: 'planted-env' } }, async (file: string) => readFileSync(file, 'utf8') + 'planted-body' + PLANTED_CONSTANT + helper())
`,
  'src/helper.ts': "console.log('planted-side-effect')\nexport const helper = () => 'planted-helper'\n",
  'src/plain.js':
    "import { spawn } from 'node:child_process'\nimport { remote as far } from 'unplugin-flash'\nexport const other = far({}, function* () { yield spawn('planted-command') })\n",
}

test('nothing of a removed body is in chunks, source maps or pages', async () => {
  project = createProject({
    ...secretFiles,
    'vite.config.ts': viteConfig('', 'build: { sourcemap: true, minify: false },'),
  })
  const { code, output } = await build()
  expect(code, output).toBe(0)
  const text = shipped()
  expect(text).toContain('kept statement')
  // Not the whole text, which would be printed.
  expect(/planted|node:child_process|__vite-browser-external/.exec(text)).toBeNull()
  expect(/from\s*["']node:|require\(["']node:/.exec(shipped('.js'))).toBeNull()
  expect(
    readdirSync(project.path('dist'), { recursive: true, encoding: 'utf8' }).some((name) =>
      name.endsWith('.map'),
    ),
  ).toBe(true)
})

test('the build and the dev server call a function by the same id', async () => {
  project = createProject(appFiles)
  await build()
  const ids = (text: string) => [...new Set(text.match(/[a-z2-7]{16}\.[a-z2-7]{16}/g))].sort()
  const built = ids(shipped())
  const vite = await startVite(project)
  const sources = await Promise.all(
    ['basics', 'trouble', 'stateful', 'counter', 'relay'].map(async (name) =>
      (await fetch(`${vite.url}/src/${name}.ts`)).text(),
    ),
  )
  await vite.stop()
  expect(built.length).toBeGreaterThan(10)
  expect(ids(sources.join('\n'))).toEqual(built)
})

describe('a broken file fails the build and leaves nothing that looks like success', () => {
  for (const [what, files, expected] of [
    [
      'a syntax error',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nexport const a = = remote({}, async () => 1)\n",
      },
      /src\/bad\.ts[\s\S]*SYNTAX_ERROR|SYNTAX_ERROR[\s\S]*src\/bad\.ts/,
    ],
    [
      'a captured scope',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nexport function make(x: number) {\n  return remote({}, async () => x)\n}\n",
      },
      /REMOTE_NOT_MODULE_LEVEL/,
    ],
    [
      'a config with a wrong value',
      {
        'src/bad.ts':
          "import { remote } from 'unplugin-flash'\nexport const a = remote({ idleTimeoutSeconds: 0 }, async () => 1)\n",
      },
      /idleTimeoutSeconds/,
    ],
    [
      'two endpoints of one name',
      {
        'src/one.ts':
          "import { remote } from 'unplugin-flash'\nexport const a = remote({ name: 'same' }, async () => 1)\n",
        'src/two.ts':
          "import { remote } from 'unplugin-flash'\nexport const b = remote({ name: 'same' }, async () => 1)\n",
      },
      /DUPLICATE_ENDPOINT[\s\S]*src\/(one|two)\.ts/,
    ],
  ] as const) {
    test(what, async () => {
      project = createProject(appFiles)
      expect((await build()).code).toBe(0)
      for (const [file, text] of Object.entries(files)) await project.write(file, text)
      const { code, output } = await build()
      expect(code).toBe(1)
      expect(output).toMatch(expected)
      expect(existsSync(project.path('dist/index.html'))).toBe(false)
    })
  }

  test('all broken files are named at once', async () => {
    const bad = (n: number) =>
      `import { remote } from 'unplugin-flash'\nexport let f${n} = remote({}, async () => 1)\n`
    project = createProject({ ...appFiles, 'src/bad1.ts': bad(1), 'src/bad2.ts': bad(2) })
    const { code, output } = await build()
    expect(code).toBe(1)
    expect(output).toContain('src/bad1.ts')
    expect(output).toContain('src/bad2.ts')
  })

  test('a file whose top level never ends builds: user code is not run', async () => {
    project = createProject({
      ...appFiles,
      'src/endless.ts':
        "import { remote } from 'unplugin-flash'\nfor (;;) {}\nexport const f = remote({}, async () => 1)\n",
    })
    const { code, output } = await build()
    expect(code, output).toBe(0)
  }, 20_000)
})
