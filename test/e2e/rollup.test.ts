import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { readFiles, readManifest, runJob, runNode } from '../helpers/build.ts'
import { createProject, type Project } from '../helpers/project.ts'

let project: Project

afterEach(() => project?.remove())

const sources = {
  'src/main.ts':
    "import { read, tokens } from './read.ts'\nexport const page = (text: string) => [read(text), tokens(3)]\n",
  'src/read.ts': `import { readFileSync } from 'node:fs'
import { remote } from 'unplugin-flash'
import { secretWord } from './word.js'
import table from './table.json' with { type: 'json' }
interface Options { loud?: boolean }
export const read = remote({ name: 'reader' }, async (text: string, { loud = true }: Options = {}) => {
  const word = secretWord() + table.end
  return { text: loud ? text.toUpperCase() : text, word, at: typeof readFileSync }
})
export const tokens = remote({ name: 'tokens' }, function* (n: number) { for (let at = 0; at < n; at++) yield at })
`,
  'src/word.ts': "export const secretWord = () => 'planted-word-of-a-body'\n",
  'src/table.json': '{ "end": "." }',
}

/** A build script as users write them, with one of the bundlers. */
const script = (bundler: 'rollup' | 'rolldown', options: string) => `
import { ${bundler} } from '${bundler}'
import { flash } from 'unplugin-flash/${bundler}'
import { transform } from 'esbuild'
const typescript = {
  name: 'typescript',
  async transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const { code: js, map } = await transform(code, { loader: 'ts', sourcefile: id, sourcemap: true, tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } })
    return { code: js, map }
  },
}
const bundle = await ${bundler}({ input: 'src/main.ts', plugins: [flash(${options}), typescript] })
await bundle.write({ dir: 'dist', sourcemap: true })
await bundle.close()
`

const build = (bundler: 'rollup' | 'rolldown', options = '') => {
  project = createProject({ ...sources, 'build.mjs': script(bundler, options) })
  return runNode(project.root, ['build.mjs'])
}

/** A plugin of the worker build that tells by which bundler it is run. */
const tells = (engine?: string) =>
  `{ worker: { ${engine ? `engine: '${engine}', ` : ''}plugins: () => [{ name: 'tells', buildStart() { console.log('made by ' + ('rolldownVersion' in this.meta ? 'rolldown' : 'rollup')) } }] } }`

describe.each([
  ['rollup', tells(), 'rolldown'],
  ['rollup', tells('rollup'), 'rollup'],
  ['rolldown', tells(), 'rolldown'],
] as const)('a build with %s, options %s', (bundler, options, engine) => {
  test(`gives pages stubs, and bundles made by ${engine}`, async () => {
    const { code, output } = await build(bundler, options)
    expect(code, output).toBe(0)
    const page = [...readFiles(project.path('dist')).values()].join('\n')
    expect(/planted|import \{ readFileSync/.exec(page)?.[0]).toBeUndefined()
    expect(page).toMatch(/[a-z2-7]{16}\.[a-z2-7]{16}/)
    expect(Object.keys(readManifest(project).endpoints)).toEqual(['reader', 'tokens'])
    expect(output).toMatch(/reader +read/)
    expect(output).toContain(`made by ${engine}`)
    const read = await runJob(project, 'reader', { text: 'hi' })
    expect(read.result).toEqual({ output: { text: 'HI', word: 'planted-word-of-a-body.', at: 'function' } })
    expect((await runJob(project, 'tokens', { n: 3 })).result).toEqual({ output: [0, 1, 2] })
  })
})

test('both engines make folders of one form', async () => {
  const shapes: string[][] = []
  for (const engine of ['rolldown', 'rollup']) {
    const { code, output } = await build('rollup', `{ worker: { engine: '${engine}' } }`)
    expect(code, output).toBe(0)
    shapes.push([...readFiles(project.path('.flash/build')).keys()])
    project.remove()
  }
  expect(shapes[0]).toEqual(shapes[1])
})

test('a build for servers has stubs that reach endpoints themselves', async () => {
  const { code, output } = await build('rollup', "{ role: 'server' }")
  expect(code, output).toBe(0)
  const server = [...readFiles(project.path('dist')).values()].join('\n')
  expect(server).not.toContain('planted')
  expect(server).toContain(project.read('.flash/key').trim())
})

test('a broken file ends the build and leaves no bundles', async () => {
  await build('rollup')
  await project.write(
    'src/read.ts',
    sources['src/read.ts'].replace("{ name: 'reader' }", '{ idleTimeoutSeconds: 0 }'),
  )
  const { code, output } = await runNode(project.root, ['build.mjs'])
  expect(code).toBe(1)
  expect(output).toContain('idleTimeoutSeconds')
  expect(existsSync(project.path('.flash/build/flash_manifest.json'))).toBe(false)
})
