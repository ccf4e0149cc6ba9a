import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createSourceTree, isSource, readMatching } from './scan.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folderOf(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-scan-')))
  made.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

async function listed(root: string, ignore?: string[]): Promise<string[]> {
  const files = await createSourceTree(root, ignore).list()
  return files.map((file) => relative(root, file).replaceAll(sep, '/'))
}

const tree = [
  'a.ts',
  'b.ts',
  'B.ts',
  'ab.ts',
  '#a.ts',
  '!a.ts',
  'a b.ts',
  'ü.ts',
  'a[b].ts',
  'src/a.ts',
  'src/b.ts',
  'src/a.test.ts',
  'src/build/a.ts',
  'src/build/keep/a.ts',
  'src/deep/er/a.ts',
  'src/deep/er/b.ts',
  'build/a.ts',
  'build/keep/a.ts',
  'lib/build/a.ts',
  'lib/x/y/z/a.ts',
  'lib/x/y/z/b.ts',
  'lib/c.tsx',
  'lib/c.ts/inner.ts',
  'docs /a.ts',
  'docs/a.ts',
  'src\\a.ts',
].filter((path) => sep === '/' || !path.includes('\\'))

const patterns: [what: string, ignoreFiles: Record<string, string>][] = [
  ['no ignore file', {}],
  ['a file name anywhere', { '.gitignore': 'a.ts' }],
  ['a file name at the top', { '.gitignore': '/a.ts' }],
  ['a path has a slash inside', { '.gitignore': 'src/a.ts' }],
  ['a folder name anywhere', { '.gitignore': 'build' }],
  ['a folder name with a slash', { '.gitignore': 'build/' }],
  ['a slash at the end does not match files', { '.gitignore': 'c.ts/' }],
  ['a folder at the top', { '.gitignore': '/build/' }],
  ['star', { '.gitignore': '*.test.ts' }],
  ['star does not cross folders', { '.gitignore': 'src/*.ts' }],
  ['question mark', { '.gitignore': '?.ts' }],
  ['a class', { '.gitignore': '[ab].ts' }],
  ['a negated class', { '.gitignore': '[!a].ts' }],
  ['a range and a named class', { '.gitignore': '[[:upper:]].ts\nl[g-k]b' }],
  ['two stars first', { '.gitignore': '**/er' }],
  ['two stars last', { '.gitignore': 'lib/**' }],
  ['two stars between', { '.gitignore': 'lib/**/a.ts' }],
  ['negation after', { '.gitignore': '*.ts\n!a.ts' }],
  ['negation before', { '.gitignore': '!a.ts\n*.ts' }],
  ['nothing comes back below an ignored folder', { '.gitignore': 'build/\n!build/keep/a.ts' }],
  ['contents ignored, one kept', { '.gitignore': 'build/*\n!build/keep' }],
  ['everything ignored but folders and one kind', { '.gitignore': '*\n!*/\n!a.ts' }],
  ['comment', { '.gitignore': '#a.ts' }],
  ['escaped hash and exclamation mark', { '.gitignore': '\\#a.ts\n\\!a.ts' }],
  ['trailing spaces are dropped', { '.gitignore': 'a.ts   \ndocs ' }],
  ['an escaped trailing space counts', { '.gitignore': 'docs\\ ' }],
  ['a space inside', { '.gitignore': 'a b.ts' }],
  ['a tab at the end counts', { '.gitignore': 'a.ts\t' }],
  ['windows line ends', { '.gitignore': 'a.ts\r\nbuild/\r\n' }],
  ['a byte order mark', { '.gitignore': '\uFEFFa.ts\nb.ts' }],
  ['a backslash escapes and separates nothing', { '.gitignore': 'src\\a.ts\nlib\\x' }],
  ['escaped brackets', { '.gitignore': 'a\\[b\\].ts' }],
  ['letters beyond ASCII', { '.gitignore': 'ü.ts' }],
  ['case counts', { '.gitignore': 'A.TS\nb.ts' }],
  ['an unclosed class matches nothing', { '.gitignore': '[ab.ts' }],
  ['a nested file', { 'src/.gitignore': 'a.ts' }],
  ['a nested file anchors at its folder', { 'src/.gitignore': '/a.ts\n/er' }],
  ['a nested file takes a file back', { '.gitignore': 'a.ts', 'src/.gitignore': '!a.ts' }],
  ['a nested file takes a folder back', { '.gitignore': 'build', 'src/.gitignore': '!build' }],
  [
    'a folder taken back is ignored again deeper',
    { '.gitignore': 'build', 'src/.gitignore': '!build', 'src/build/.gitignore': 'keep' },
  ],
  [
    'a folder taken back still has its own patterns',
    { '.gitignore': 'build\na.ts', 'src/.gitignore': '!build/' },
  ],
  ['a file inside an ignored folder is not read', { '.gitignore': '/src/', 'src/.gitignore': '!*' }],
  ['three levels', { '.gitignore': '*.ts', 'lib/.gitignore': '!*.ts', 'lib/x/.gitignore': 'a.ts' }],
]

describe('the same answer as `git check-ignore`', () => {
  for (const [what, ignoreFiles] of patterns) {
    test(what, async () => {
      const root = folderOf({ ...Object.fromEntries(tree.map((path) => [path, ''])), ...ignoreFiles })
      execFileSync('git', ['init', '-q'], { cwd: root })
      const kept = notIgnoredByGit(root, tree)
      expect(await listed(root)).toEqual(kept.sort())
      const sources = createSourceTree(root)
      for (const path of tree)
        expect([path, await sources.includes(join(root, path))]).toEqual([path, kept.includes(path)])
    })
  }
})

function notIgnoredByGit(cwd: string, paths: string[]): string[] {
  let ignored = ''
  try {
    const input = paths.map((path) => `./${path}`).join('\0')
    const args = ['check-ignore', '--no-index', '--stdin', '-z']
    ignored = execFileSync('git', args, { cwd, input, encoding: 'utf8' })
  } catch (error) {
    // 1: none of them is ignored.
    if ((error as { status: number }).status !== 1) throw error
  }
  const set = new Set(ignored.split('\0'))
  return paths.filter((path) => !set.has(`./${path}`))
}

test('a root below the repository obeys the ignore files above it', async () => {
  const files = {
    '.gitignore': 'generated\n/apps/web/b.ts',
    'apps/.gitignore': '*.test.ts',
    'apps/web/.gitignore': 'c.ts',
  }
  const sources = ['a.ts', 'b.ts', 'c.ts', 'd.test.ts', 'generated/a.ts', 'src/generated/a.ts', 'src/b.ts']
  const root = folderOf({ ...files, ...Object.fromEntries(sources.map((path) => [`apps/web/${path}`, ''])) })
  execFileSync('git', ['init', '-q'], { cwd: root })
  const web = join(root, 'apps/web')
  expect(await listed(web)).toEqual(notIgnoredByGit(web, sources).sort())
  expect(await createSourceTree(web).includes(join(root, 'apps/web/src/b.ts'))).toBe(true)
  expect(await createSourceTree(web).includes(join(root, 'apps/web/generated/a.ts'))).toBe(false)
  expect(await createSourceTree(web).includes(join(root, 'apps/other.ts'))).toBe(false)
})

test('a root that its repository ignores is read nevertheless', async () => {
  const root = folderOf({
    '.gitignore': 'sandbox/\na.ts',
    'sandbox/a.ts': '',
    'sandbox/.gitignore': 'b.ts',
    'sandbox/b.ts': '',
  })
  execFileSync('git', ['init', '-q'], { cwd: root })
  expect(await listed(join(root, 'sandbox'))).toEqual(['a.ts'])
})

test('packages, repositories, own files, links and other kinds of file are left out', async () => {
  const root = folderOf({
    'src/a.ts': '',
    'src/b.d.ts': '',
    'src/c.css': '',
    'src/Page.vue': '',
    'src/Page.svelte': '',
    'src/Page.astro': '',
    'node_modules/x/index.js': '',
    'src/node_modules/x/index.js': '',
    '.git/hook.js': '',
    '.flash/build/main.mjs': '',
    'dist/app.js': '',
    'src/dist/app.js': '',
    'config.cts': '',
    'script.cjs': '',
  })
  symlinkSync(join(root, 'src/a.ts'), join(root, 'src/link.ts'))
  symlinkSync(join(root, 'src'), join(root, 'linked'))
  expect(await listed(root, ['/dist/'])).toEqual([
    'config.cts',
    'script.cjs',
    'src/Page.astro',
    'src/Page.svelte',
    'src/Page.vue',
    'src/a.ts',
    'src/dist/app.js',
  ])
  expect(await createSourceTree(root, ['/dist/']).includes(join(root, 'dist/app.js'))).toBe(false)
  expect(await createSourceTree(root).includes(join(root, 'node_modules/x/index.js'))).toBe(false)
  expect(await createSourceTree(root).includes(join(root, 'src/c.css'))).toBe(false)
})

test('an ignore file that is a link is not read', async () => {
  const root = folderOf({ 'a.ts': '', rules: 'a.ts' })
  symlinkSync(join(root, 'rules'), join(root, '.gitignore'))
  expect(await listed(root)).toEqual(['a.ts'])
})

test('a root that does not exist has no sources', async () => {
  expect(await createSourceTree(join(tmpdir(), 'flash-nowhere')).list()).toEqual([])
})

test('what counts as a source', () => {
  for (const name of ['a.ts', 'a.tsx', 'a.js', 'a.jsx', 'a.mts', 'a.mjs', 'a.cts', 'a.cjs', 'a.vue'])
    expect(isSource(name)).toBe(true)
  for (const name of ['a.d.ts', 'a.d.mts', 'a.d.cts', 'a.json', 'a.css', 'ts', 'a.tsv', 'a.ctsx'])
    expect(isSource(name)).toBe(false)
})

test('only texts that pass are decoded; a file that vanished is none', async () => {
  const root = folderOf({ 'a.ts': 'has the wörd', 'b.ts': 'has not' })
  const files = ['a.ts', 'b.ts', 'gone.ts'].map((name) => join(root, name))
  const found = await readMatching(files, (bytes) => bytes.includes('wörd'))
  expect([...found]).toEqual([[join(root, 'a.ts'), 'has the wörd']])
})
