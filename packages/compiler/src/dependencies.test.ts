import type { AppError } from '@flash/protocol'
import { mkdirSync, symlinkSync } from 'node:fs'
import Module from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDependencies, type Dependencies } from './dependencies.ts'
import { readSample, type Sample, samples, shop, toJson } from './dependencies/testing.ts'
import { createTestProject, type TestProject } from './testing/project.ts'

interface Setup {
  listed?: string[]
  /** From the folder that is made. */
  root?: string
  /** Links and the folders they lead to. */
  links?: Record<string, string>
}

type Tested = TestProject & { dependencies: Dependencies; classify: Dependencies['classify'] }

function setUp(files: Record<string, string>, { listed = [], root = '', links = {} }: Setup = {}): Tested {
  const project = createTestProject(files)
  for (const [link, target] of Object.entries(links)) {
    mkdirSync(dirname(project.path(link)), { recursive: true })
    symlinkSync(project.path(target), project.path(link), 'junction')
  }
  const dependencies = createDependencies({ root: join(project.root, root), endpoint: 'ocr', listed })
  return {
    ...project,
    dependencies,
    classify: (specifier, importer) => dependencies.classify(specifier, project.path(importer)),
  }
}

const bundle = { kind: 'bundle' }
const external = (name: string, version: string, reason: string) => ({
  kind: 'external',
  name,
  version,
  reason,
})
const absent = (name: string) => ({ kind: 'absent', name })

function refusal(asked: Promise<unknown>): Promise<AppError> {
  return asked.then(
    (answer) => expect.fail(`not refused: ${JSON.stringify(answer)}`),
    (error: AppError) => error,
  )
}

const app = (dependencies: Record<string, string>, more: object = {}) => ({
  'package.json': toJson({ name: 'app', dependencies, ...more }),
})
const installed = (name: string, more: object = {}) => ({
  [`node_modules/${name}/package.json`]: toJson({ name, version: '1.0.0', ...more }),
  [`node_modules/${name}/index.js`]: '',
})
/** Entries of `node_modules` in a lockfile of npm. */
const npmLock = (packages: Record<string, object>) => ({
  'package-lock.json': toJson({
    lockfileVersion: 3,
    packages: Object.fromEntries(
      Object.entries(packages).map(([name, entry]) => [`node_modules/${name}`, entry]),
    ),
  }),
})
const sharp = { binary: { napi_versions: [9] }, optionalDependencies: { '@img/sharp-linux-x64': '0.34.5' } }

describe('goes into the bundle', () => {
  test('what is installed and only code', async () => {
    // Nobody has to read the lockfile for it.
    using project = setUp({
      'package-lock.json': '{',
      ...app({ zod: '^4.0.0', '@a/b': '1' }),
      ...installed('zod'),
      ...installed('@a/b', { optionalDependencies: { fsevents: '~2.3.2' } }),
      'node_modules/no-manifest/index.js': '',
    })
    for (const specifier of ['zod', 'zod/v4/core', '@a/b', '@a/b/c.js', 'no-manifest'])
      expect(await project.classify(specifier, 'src/a.ts')).toEqual(bundle)
    expect(await project.classify('zod', 'node_modules/@a/b/index.js')).toEqual(bundle)
    expect(project.dependencies.warnings()).toEqual([])
  })

  test('what is no package', async () => {
    using project = setUp(app({}))
    const others = [
      'fs',
      'fs/promises',
      'node:sqlite',
      './a',
      '/a',
      '#a',
      '@/a',
      'virtual:a',
      '$lib/a',
      'C:\\a',
      '',
    ]
    for (const specifier of others) expect(await project.classify(specifier, 'a.ts')).toEqual(bundle)
  })

  test('a package that imports itself', async () => {
    using project = setUp({ 'package.json': toJson({ name: 'app', exports: './a.ts' }) })
    expect(await project.classify('app/x', 'src/a.ts')).toEqual(bundle)
  })

  test('the project’s own packages, whatever they are made of', async () => {
    const files = { 'packages/addon/package.json': toJson({ name: '@shop/addon', os: ['linux'] }) }
    using project = setUp(
      { ...app({}), ...files },
      { links: { 'node_modules/@shop/addon': 'packages/addon' } },
    )
    expect(await project.classify('@shop/addon', 'src/a.ts')).toEqual(bundle)
  })

  test('in a project that is itself below node_modules', async () => {
    const inner = 'node_modules/.cache/app'
    const files = {
      [`${inner}/package.json`]: toJson({ name: 'inner', dependencies: { lib: '*' } }),
      [`${inner}/packages/lib/package.json`]: toJson({ name: 'lib', os: ['linux'] }),
    }
    const links = { [`${inner}/node_modules/lib`]: `${inner}/packages/lib` }
    using project = setUp(files, { root: inner, links })
    expect(await project.classify('lib', `${inner}/a.ts`)).toEqual(bundle)
  })
})

describe('is installed by workers, as the config lists it', () => {
  const lock = npmLock({
    sharp: { version: '0.34.5' },
    'old/node_modules/sharp': { version: '0.32.6' },
    old: { version: '1.0.0' },
    small: { name: 'ms', version: '2.0.0' },
  })

  test('with the version of the lockfile, by any path and from any package', async () => {
    using project = setUp(
      { ...lock, ...app({ sharp: '^0.34.0' }), ...installed('old'), ...installed('sharp') },
      { listed: ['sharp', 'small'] },
    )
    const sharpHere = external('sharp', '0.34.5', 'listed')
    expect(await project.classify('sharp', 'a.ts')).toEqual(sharpHere)
    expect(await project.classify('sharp/lib/x.js', 'src/a.ts')).toEqual(sharpHere)
    expect(await project.classify('sharp', '\0virtual:entry')).toEqual(sharpHere)
    expect(await project.classify('sharp', 'node_modules/old/a.js')).toEqual(
      external('sharp', '0.32.6', 'listed'),
    )
    expect(await project.classify('small', 'a.ts')).toEqual(external('small', 'npm:ms@2.0.0', 'listed'))
    expect(await project.dependencies.listed()).toEqual([
      { name: 'sharp', version: '0.34.5' },
      { name: 'small', version: 'npm:ms@2.0.0' },
    ])
    expect(project.dependencies.warnings()).toEqual([])
  })

  test('with the version of the config, and a warning when the lockfile has another', async () => {
    using project = setUp(
      { ...lock, ...app({}) },
      { listed: ['sharp@0.33.0', '@a/b@=1.2.3-beta.1', 'old@1.0.0'] },
    )
    expect(await project.dependencies.listed()).toEqual([
      { name: '@a/b', version: '1.2.3-beta.1' },
      { name: 'old', version: '1.0.0' },
      { name: 'sharp', version: '0.33.0' },
    ])
    expect(await project.classify('sharp', 'a.ts')).toEqual(external('sharp', '0.33.0', 'listed'))
    const [warning, ...others] = project.dependencies.warnings()
    expect(others).toEqual([])
    expect(warning).toMatchObject({
      code: 'DEPENDENCY_DIFFERS',
      message: expect.stringMatching(/"sharp@0.33.0".*0.34.5/),
    })
  })

  test('that a package imports without asking for it is the project’s', async () => {
    const pnpm = `lockfileVersion: '9.0'
importers: { .: { dependencies: { sharp: { version: 0.34.5 }, lib: { version: 1.0.0 } } } }
packages: { sharp@0.34.5: {}, sharp@0.32.6: {}, lib@1.0.0: {}, old@1.0.0: {} }
snapshots: { lib@1.0.0: {}, old@1.0.0: { dependencies: { sharp: 0.32.6 } } }`
    using project = setUp({ ...app({}), ...installed('lib'), 'pnpm-lock.yaml': pnpm }, { listed: ['sharp'] })
    const sharpHere = external('sharp', '0.34.5', 'listed')
    expect(await project.classify('sharp', 'node_modules/lib/a.js')).toEqual(sharpHere)
  })

  test('that Yarn was told a package needs is what it was told', async () => {
    const entry = (range: string, version: string) =>
      `"sharp@npm:${range}": { version: ${version}, resolution: "sharp@npm:${version}" }`
    const yarn = `__metadata: { version: 8 }
"lib@npm:^1": { version: 1.0.0, resolution: "lib@npm:1.0.0", dependencies: { sharp: "npm:^0.32" } }
${entry('^0.32', '0.32.6')}
${entry('^0.34', '0.34.5')}`
    const files = { ...app({ sharp: '^0.34' }), ...installed('lib'), 'yarn.lock': yarn }
    using project = setUp(files, { listed: ['sharp'] })
    const sharpThere = external('sharp', '0.32.6', 'listed')
    expect(await project.classify('sharp', 'node_modules/lib/a.js')).toEqual(sharpThere)
    expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version: '0.34.5' }])
  })

  test('a range is no version', async () => {
    using project = setUp({ ...lock, ...app({}) }, { listed: ['sharp@^0.34'] })
    expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version: '0.34.5' }])
    expect(project.dependencies.warnings()).toMatchObject([
      { code: 'DEPENDENCY_DIFFERS', message: expect.stringMatching(/"\^0\.34"/) },
    ])
  })

  test('a patch stays behind, which is said', async () => {
    const pnpm = `lockfileVersion: '9.0'
patchedDependencies: { sharp@0.34.5: { hash: abc, path: patches/sharp.patch } }
importers: { .: { dependencies: { sharp: { specifier: ^0.34.0, version: 0.34.5(patch_hash=abc) } } } }
packages: { sharp@0.34.5: {} }
snapshots: { sharp@0.34.5(patch_hash=abc): {} }`
    const yarn = `__metadata: { version: 8 }
"sharp@patch:sharp@npm%3A^0.34.0#~/.yarn/patches/sharp.patch":
  version: 0.34.5
  resolution: "sharp@patch:sharp@npm%3A0.34.5#~/.yarn/patches/sharp.patch::version=0.34.5&hash=df0bf1"`
    for (const [name, text, range] of [
      ['pnpm-lock.yaml', pnpm, '^0.34.0'],
      ['yarn.lock', yarn, 'patch:sharp@npm%3A^0.34.0#~/.yarn/patches/sharp.patch'],
      [
        'bun.lock',
        '{"packages":{"sharp":["sharp@0.34.5","",{}]},"patchedDependencies":{"sharp@0.34.5":"x"}}',
        '1',
      ],
    ] as const) {
      using project = setUp({ ...app({ sharp: range }), [name]: text }, { listed: ['sharp'] })
      expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version: '0.34.5' }])
      expect(project.dependencies.warnings()).toMatchObject([
        { code: 'DEPENDENCY_DIFFERS', message: expect.stringMatching(/patch/) },
      ])
    }
  })

  test('one package with two versions is refused', async () => {
    using project = setUp(app({}), { listed: ['sharp@1.0.0', 'sharp', 'sharp@2.0.0'] })
    for (const asked of [async () => project.dependencies.listed(), () => project.classify('x', 'a.ts')])
      expect(await refusal(asked())).toMatchObject({
        code: 'BAD_CONFIG',
        message: expect.stringMatching(/"sharp" as 1.0.0 and as 2.0.0/),
      })
    using fine = setUp(app({}), { listed: ['sharp', 'sharp@2.0.0', 'sharp'] })
    expect(await fine.dependencies.listed()).toEqual([{ name: 'sharp', version: '2.0.0' }])
  })
})

describe('a version that cannot be told', () => {
  for (const [what, files, message, hint] of [
    ['no lockfile', app({ sharp: '^0.34.0' }), /there is no lockfile/, /npm install sharp/],
    [
      'a lockfile without it',
      { ...app({}), 'pnpm-lock.yaml': `lockfileVersion: '9.0'` },
      /pnpm-lock.yaml does not have it/,
      /pnpm add sharp/,
    ],
    [
      'a lockfile with several',
      {
        ...app({ a: '1', b: '1' }),
        'yarn.lock': `# yarn lockfile v1\n\nsharp@1:\n  version "1.2.0"\n\nsharp@2:\n  version "2.3.0"\n`,
      },
      /yarn.lock has several: 1.2.0, 2.3.0/,
      /yarn add sharp.*"sharp@1.2.0"/,
    ],
    [
      'a manager by name alone',
      app({ sharp: 'latest' }, { packageManager: 'bun@1.3.0' }),
      /there is no lockfile/,
      /bun add sharp/,
    ],
  ] as const)
    test(what, async () => {
      using project = setUp(files, { listed: ['sharp'] })
      const error = await refusal(project.classify('sharp', 'a.ts'))
      expect(error).toMatchObject({
        code: 'DEPENDENCY_NO_VERSION',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      })
      expect(error.message).toContain('"ocr"')
      expect(await refusal(project.dependencies.listed())).toMatchObject({ code: 'DEPENDENCY_NO_VERSION' })
    })

  test('without a lockfile, a package.json may leave no choice', async () => {
    using project = setUp(app({ sharp: '0.34.5', small: 'npm:ms@2.0.0' }), { listed: ['sharp', 'small'] })
    expect(await project.dependencies.listed()).toEqual([
      { name: 'sharp', version: '0.34.5' },
      { name: 'small', version: 'npm:ms@2.0.0' },
    ])
  })

  test('of several in the lockfile, the installed one is meant', async () => {
    const locked = ['1.0.0', '2.0.0'].map((version) => `sharp@${version}:\n  version "${version}"\n`)
    using project = setUp({
      ...app({}),
      ...installed('sharp', sharp),
      'yarn.lock': `# yarn lockfile v1\n\n${locked.join('\n')}`,
    })
    expect(await project.classify('sharp', 'a.ts')).toEqual(external('sharp', '1.0.0', 'native'))
  })
})

describe('what no registry has cannot be installed by workers', () => {
  const yarn = (range: string) => `# yarn lockfile v1\n\n"lib@${range}":\n  version "1.0.0"\n`
  for (const [what, range, name, text, source] of [
    [
      'git',
      'x',
      'package-lock.json',
      { resolved: 'git+https://me:pa55word@x.io/lib.git#abc' },
      /git\+https:.*x\.io/,
    ],
    [
      'an archive',
      'https://x.io/a.tgz',
      'package-lock.json',
      { resolved: 'https://x.io/a.tgz' },
      /https:\/\/x.io/,
    ],
    ['a local archive', 'x', 'package-lock.json', { resolved: 'file:lib.tgz' }, /file:lib.tgz/],
    [
      'a folder',
      'x',
      'package-lock.json',
      { resolved: 'packages/lib', link: true },
      /the folder packages\/lib/,
    ],
    ['git', 'github:me/lib', 'yarn.lock', yarn('github:me/lib'), /github:me\/lib/],
    ['git', 'me/lib#main', 'yarn.lock', yarn('me/lib#main'), /me\/lib#main/],
    ['a link', 'link:../lib', 'bun.lock', '{"packages":{"lib":["lib@link:../lib"]}}', /link:\.\.\/lib/],
    ['git', 'x', 'bun.lock', '{"packages":{"lib":["lib@github:me/lib#abc",{}]}}', /github:me\/lib/],
    [
      'git',
      'x',
      'pnpm-lock.yaml',
      `lockfileVersion: '9.0'\nimporters: { .: { dependencies: { lib: { version: 'git+ssh://git@x.io/lib.git#abc' } } } }`,
      /git\+ssh/,
    ],
  ] as const)
    test(`${name}: ${what}`, async () => {
      const lock =
        typeof text === 'string'
          ? { [name]: text }
          : npmLock({ lib: { version: '1.0.0', ...text } as object })
      const withRoot = lock['package-lock.json']?.replace(
        '"packages": {',
        `"packages": { "": { "dependencies": { "lib": "${range}" } },`,
      )
      const files = { ...app({ lib: range }), ...lock, ...(withRoot && { 'package-lock.json': withRoot }) }
      using project = setUp(files, { listed: ['lib'] })
      const error = await refusal(project.dependencies.listed())
      expect(error).toMatchObject({
        code: 'DEPENDENCY_NOT_PUBLISHED',
        message: expect.stringMatching(source),
      })
      expect(error.message).not.toContain('pa55word')
      expect(error.hint).toMatch(what === 'a folder' ? /go into the bundle/ : /"lib@1\.2\.3"/)
      using pinned = setUp(files, { listed: ['lib@2.0.0'] })
      expect(await pinned.dependencies.listed()).toEqual([{ name: 'lib', version: '2.0.0' }])
    })
})

describe('machine code is installed by workers', () => {
  test('the same, installed or not', async () => {
    const files = {
      ...app({ sharp: '^0.34.0', addon: '1' }),
      ...npmLock({
        sharp: { version: '0.34.5', optionalDependencies: { '@img/sharp-linux-x64': '0.34.5' } },
        addon: { version: '1.0.0', os: ['darwin', 'linux'] },
      }),
    }
    const here = { ...installed('sharp', sharp), ...installed('addon', { os: ['darwin', 'linux'] }) }
    for (const more of [here, {}]) {
      using project = setUp({ ...files, ...more })
      expect(await project.classify('sharp', 'src/a.ts')).toEqual(external('sharp', '0.34.5', 'native'))
      expect(await project.classify('addon/x', 'src/a.ts')).toEqual(external('addon', '1.0.0', 'native'))
      expect(project.dependencies.warnings()).toEqual([])
    }
  })

  for (const sample of Object.keys(samples) as Sample[])
    test(`${sample}: from the package that needs it, installed or not`, async () => {
      const isStore = sample.startsWith('pnpm')
      const folder = isStore ? 'node_modules/.pnpm/msgpackr@1.12.1/node_modules' : 'node_modules'
      const msgpackr = {
        name: 'msgpackr',
        version: '1.12.1',
        optionalDependencies: { 'msgpackr-extract': '^3.0.2' },
      }
      const extract = { version: '3.0.3', dependencies: { 'node-gyp-build-optional-packages': '5.2.2' } }
      const files = {
        ...shop,
        [samples[sample]]: readSample(sample),
        [`${folder}/msgpackr/package.json`]: toJson(msgpackr),
        'packages/web/node_modules/.keep': '',
      }
      const links = isStore ? { 'packages/web/node_modules/msgpackr': `${folder}/msgpackr` } : undefined
      for (const more of [{}, { [`${folder}/msgpackr-extract/package.json`]: toJson(extract) }] as const) {
        using project = setUp({ ...files, ...more }, { root: 'packages/web', links })
        expect(await project.classify('msgpackr', 'packages/web/src/a.ts')).toEqual(bundle)
        expect(await project.classify('msgpackr-extract', `${folder}/msgpackr/index.js?commonjs`)).toEqual(
          external('msgpackr-extract', '3.0.3', 'native'),
        )
        expect(project.dependencies.warnings()).toEqual([])
      }
    })
})

describe('what is declared and not installed', () => {
  test('is left to workers, with a warning', async () => {
    const lock = npmLock({ heavy: { version: '2.1.0', hasInstallScript: true } })
    using project = setUp({
      ...app({ heavy: '^2.0.0' }),
      ...lock,
      'src/a.ts': `\n  import x from 'heavy/sub'\n`,
    })
    expect(await project.classify('heavy/sub', 'src/a.ts')).toEqual(external('heavy', '2.1.0', 'missing'))
    expect(await project.classify('heavy/sub', 'src/a.ts')).toEqual(external('heavy', '2.1.0', 'missing'))
    expect(project.dependencies.warnings()).toMatchObject([
      {
        code: 'DEPENDENCY_MISSING',
        message: expect.stringMatching(/"heavy" is in package\.json.*"ocr".*2\.1\.0/),
        hint: expect.stringMatching(/npm install/),
        at: { file: 'src/a.ts', line: 2, column: 17 },
        frame: expect.stringMatching(/> 2 \|/),
      },
    ])
  })

  test('is known to the workspace or to the package that imports it', async () => {
    const lock = npmLock({ a: { version: '1.0.0' }, b: { version: '1.1.0' }, c: { version: '1.2.0' } })
    using project = setUp(
      {
        ...app({ a: '1' }, { workspaces: ['packages/*'] }),
        ...lock,
        'packages/web/package.json': toJson({ name: 'web', devDependencies: { b: '1' } }),
        ...installed('lib', { peerDependencies: { c: '*' } }),
      },
      { root: 'packages/web' },
    )
    for (const [name, version, importer] of [
      ['a', '1.0.0', 'packages/web/src/a.ts'],
      ['b', '1.1.0', 'packages/web/src/a.ts'],
      ['c', '1.2.0', 'node_modules/lib/index.js'],
    ] as const)
      expect(await project.classify(name, importer)).toEqual(external(name, version, 'missing'))
    const files = project.dependencies.warnings().map(({ message }) => / is in (\S+) /.exec(message)?.[1])
    expect(files).toEqual(['../../package.json', 'package.json', '../../node_modules/lib/package.json'])
  })

  test('a package of the workspace that is not linked is no package for workers', async () => {
    const lock = {
      'package-lock.json': toJson({ packages: { 'node_modules/lib': { resolved: 'lib', link: true } } }),
    }
    using project = setUp({ ...app({ lib: '*' }), ...lock })
    expect(await refusal(project.classify('lib', 'a.ts'))).toMatchObject({
      code: 'DEPENDENCY_NOT_PUBLISHED',
      hint: expect.stringMatching(/install it here/),
    })
  })
})

describe('what is in neither place', () => {
  test('is refused, with the line and the command', async () => {
    for (const [name, command] of [
      ['package-lock.json', 'npm install left-pad'],
      ['pnpm-lock.yaml', 'pnpm add left-pad'],
      ['yarn.lock', 'yarn add left-pad'],
      ['bun.lock', 'bun add left-pad'],
    ] as const) {
      const text = name.endsWith('.yaml')
        ? "lockfileVersion: '9.0'"
        : name === 'yarn.lock'
          ? ''
          : '{ "packages": {} }'
      using project = setUp({
        'packages/web/package.json': toJson({ name: 'web' }),
        'packages/web/src/a.ts': `// left-pad\nexport { default } from "left-pad"`,
        [name]: text,
      })
      const error = await refusal(project.classify('left-pad', 'packages/web/src/a.ts'))
      expect(error).toMatchObject({
        code: 'DEPENDENCY_NOT_DECLARED',
        at: { file: 'packages/web/src/a.ts', line: 2, column: 25 },
        frame: expect.stringMatching(/>\s2 \|/),
      })
      expect(error.message).toContain('packages/web/src/a.ts:2')
      expect(error.message).toContain(
        '"left-pad", which is not installed and not in packages/web/package.json',
      )
      expect(error.hint).toContain(`run \`${command}\``)
    }
  })

  for (const [file, text, line, column] of [
    ['a.vue', `<template>\n  <p />\n</template>\n<script setup lang="ts">\nimport x from 'left-pad'`, 5, 15],
    ['a.astro', `---\nimport x from 'left-pad'\n---\n<p>{x}</p>`, 2, 15],
    ['a.js', `// from 'left-pad'\nconst a = <p />\nawait import('left-pad')`, 3, 14],
    ['a.cjs', `const x = require('left-pad')`, 1, 11],
  ] as const) {
    test(`is refused with its line in ${file}`, async () => {
      using project = setUp({ [file]: file.endsWith('.vue') ? `${text}\n</script>` : text })
      const error = await refusal(project.classify('left-pad', file))
      expect(error.at).toEqual({ file, line, column })
      expect(error.frame).toContain(`> ${line} |`)
    })
  }

  test('is refused without a line when the text does not show it, or is not there', async () => {
    using project = setUp({ 'a.ts': 'const name = "left-" + "pad"' })
    for (const importer of ['a.ts', 'gone.ts', '\0virtual:a']) {
      const error = await refusal(project.dependencies.classify('left-pad', importer))
      expect(error).toMatchObject({ code: 'DEPENDENCY_NOT_DECLARED', at: undefined })
    }
  })

  test('is refused in a package that cannot do without', async () => {
    using project = setUp({ ...installed('lib'), 'node_modules/lib/a.mjs': `import 'left-pad'` })
    expect(await refusal(project.classify('left-pad', 'node_modules/lib/a.mjs'))).toMatchObject({
      code: 'DEPENDENCY_NOT_DECLARED',
      message: expect.stringMatching(/not in node_modules\/lib\/package\.json/),
    })
  })
})

describe('what a package can do without', () => {
  test('an optional package that nobody has', async () => {
    using project = setUp({
      ...installed('ws', {
        peerDependencies: { bufferutil: '^4' },
        peerDependenciesMeta: { bufferutil: { optional: true } },
      }),
      ...installed('debug', { peerDependenciesMeta: { 'supports-color': { optional: true } } }),
      'node_modules/debug/node.js': `try { require('supports-color') } catch {}\ntry { require('other') } catch {}`,
      'node_modules/debug/typed.js': `/** import opt from 'opt' */\n/** @type {import('opt').A} */\ntry { require('opt') } catch {}`,
    })
    expect(await project.classify('bufferutil', 'node_modules/ws/index.js')).toEqual(absent('bufferutil'))
    expect(await project.classify('supports-color', 'node_modules/debug/node.js')).toEqual(
      absent('supports-color'),
    )
    expect(await project.classify('other', 'node_modules/debug/node.js')).toEqual(absent('other'))
    expect(await project.classify('opt', 'node_modules/debug/typed.js')).toEqual(absent('opt'))
    expect(project.dependencies.warnings()).toEqual([])
  })

  test('one that only other systems have, installed or not', async () => {
    const files = {
      ...app({ chokidar: '3' }, { optionalDependencies: { fsevents: '2' } }),
      ...installed('chokidar', { optionalDependencies: { fsevents: '~2.3.2' } }),
      ...npmLock({ chokidar: { version: '3.6.0' }, fsevents: { version: '2.3.3', os: ['darwin'] } }),
    }
    for (const more of [{}, installed('fsevents', { os: ['darwin'] })]) {
      using project = setUp({ ...files, ...more })
      expect(await project.classify('fsevents', 'node_modules/chokidar/index.js')).toEqual(absent('fsevents'))
      expect(await project.classify('fsevents', 'src/a.ts')).toEqual(absent('fsevents'))
    }
    using needed = setUp({ ...files, ...app({ fsevents: '2' }) })
    expect(await needed.classify('fsevents', 'src/a.ts')).toEqual(external('fsevents', '2.3.3', 'native'))
  })

  test('not one that workers can have', async () => {
    using project = setUp({
      ...installed('ws', { optionalDependencies: { bufferutil: '^4' } }),
      ...npmLock({ bufferutil: { version: '4.1.0', dependencies: { 'node-gyp-build': '4' } } }),
    })
    expect(await project.classify('bufferutil', 'node_modules/ws/a.js')).toEqual(
      external('bufferutil', '4.1.0', 'native'),
    )
  })

  test('one of the project itself is missing like any other', async () => {
    using project = setUp({ ...app({}, { optionalDependencies: { heavy: '1.0.0' } }) })
    expect(await project.classify('heavy', 'a.ts')).toEqual(external('heavy', '1.0.0', 'missing'))
  })
})

describe('which lockfile', () => {
  const lockOf = (version: string) => npmLock({ sharp: { version } })['package-lock.json']!

  test('the nearest above the project', async () => {
    using project = setUp(
      {
        'package-lock.json': lockOf('1.0.0'),
        'apps/one/package-lock.json': lockOf('2.0.0'),
        'apps/one/web/a.ts': '',
      },
      { root: 'apps/one/web', listed: ['sharp'] },
    )
    expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version: '2.0.0' }])
  })

  test('not one that was left in a package of the workspace', async () => {
    const packages = { 'apps/one': { name: 'one' }, 'node_modules/sharp': { version: '1.0.0' } }
    using project = setUp(
      {
        'package-lock.json': toJson({ packages }),
        'apps/package-lock.json': '{',
        'apps/one/package-lock.json': lockOf('2.0.0'),
      },
      { root: 'apps/one', listed: ['sharp'] },
    )
    expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version: '1.0.0' }])
  })

  test('for a linked package, that of its own project', async () => {
    using project = setUp(
      {
        'app/package.json': toJson({ name: 'app' }),
        'app/package-lock.json': lockOf('1.0.0'),
        'other/package.json': toJson({ name: 'other', dependencies: { sharp: '*' } }),
        'other/package-lock.json': lockOf('2.0.0'),
        'other/node_modules/deep/package.json': toJson({ name: 'deep', dependencies: { sharp: '*' } }),
      },
      { root: 'app', links: { 'app/node_modules/other': 'other' } },
    )
    expect(await project.classify('other', 'app/a.ts')).toEqual(bundle)
    for (const importer of ['other/a.ts', 'other/node_modules/deep/a.js'])
      expect(await project.classify('sharp', importer)).toEqual(external('sharp', '2.0.0', 'missing'))
  })

  test('for a store far away, that of the project', async () => {
    const store = 'store/links/lib/1.0.0/hash/node_modules'
    using project = setUp(
      {
        'store/package-lock.json': lockOf('9.0.0'),
        'app/package.json': toJson({ name: 'app' }),
        'app/pnpm-lock.yaml': `lockfileVersion: '9.0'
packages: { lib@1.0.0: {}, sharp@1.5.0: {} }
snapshots: { lib@1.0.0: { dependencies: { sharp: 1.5.0 } }, sharp@1.5.0: {} }`,
        [`${store}/lib/package.json`]: toJson({ name: 'lib', version: '1.0.0' }),
        [`${store}/sharp/package.json`]: toJson({ name: 'sharp', version: '1.5.0', ...sharp }),
      },
      { root: 'app', links: { 'app/node_modules/lib': `${store}/lib` } },
    )
    expect(await project.classify('lib', 'app/a.ts')).toEqual(bundle)
    expect(await project.classify('sharp', `${store}/lib/a.js`)).toEqual(external('sharp', '1.5.0', 'native'))
  })

  test('of two package managers, the one that package.json names, else a warning', async () => {
    const yarn = `# yarn lockfile v1\n\nsharp@^2.0.0:\n  version "2.0.0"\n`
    const files = { 'package-lock.json': lockOf('1.0.0'), 'yarn.lock': yarn }
    for (const [manager, version, warnings] of [
      ['npm@11.0.0', '1.0.0', []],
      ['yarn@1.22.22', '2.0.0', []],
      [
        undefined,
        '2.0.0',
        [
          {
            code: 'LOCKFILE_AMBIGUOUS',
            message: expect.stringMatching(/from yarn\.lock, and package-lock\.json/),
          },
        ],
      ],
    ] as const) {
      using project = setUp(
        { ...files, ...app({ sharp: '^2.0.0' }, { packageManager: manager }) },
        { listed: ['sharp'] },
      )
      expect(await project.dependencies.listed()).toEqual([{ name: 'sharp', version }])
      expect(project.dependencies.warnings()).toMatchObject(warnings)
    }
  })

  test('one that cannot be read is refused by whoever needs it', async () => {
    using project = setUp({ ...app({ sharp: '1' }), 'package-lock.json': '{' }, { listed: ['sharp'] })
    for (const asked of [
      project.classify('sharp', 'a.ts'),
      project.classify('zod', 'a.ts'),
      project.dependencies.listed(),
    ])
      expect(await refusal(asked)).toMatchObject({
        code: 'LOCKFILE_INVALID',
        at: { file: 'package-lock.json' },
      })
  })
})

describe('where packages are linked into a store', () => {
  test('npm: nested versions are those of the package, not of its folder', async () => {
    const store = 'node_modules/.store/lib@1.0.0-abc/node_modules'
    using project = setUp(
      {
        ...app({ lib: '1', sharp: '2' }),
        ...npmLock({
          lib: { version: '1.0.0' },
          'lib/node_modules/sharp': { version: '1.5.0' },
          sharp: { version: '2.0.0' },
        }),
        [`${store}/lib/package.json`]: toJson({ name: 'lib', version: '1.0.0' }),
        [`${store}/sharp/package.json`]: toJson({ name: 'sharp', version: '1.5.0', ...sharp }),
      },
      { links: { 'node_modules/lib': `${store}/lib` } },
    )
    expect(await project.classify('sharp', `${store}/lib/index.js`)).toEqual(
      external('sharp', '1.5.0', 'native'),
    )
    expect(await project.classify('sharp/x', 'a.ts')).toEqual(external('sharp', '2.0.0', 'missing'))
  })

  test('bun: likewise', async () => {
    const store = 'node_modules/.bun/lib@1.0.0/node_modules'
    const packages = { 'web/lib': ['lib@1.0.0'], 'web/lib/sharp': ['sharp@1.5.0'], sharp: ['sharp@2.0.0'] }
    using project = setUp({
      ...app({}),
      'bun.lock': toJson({ workspaces: { web: { name: 'web' } }, packages }),
      [`${store}/lib/package.json`]: toJson({ name: 'lib', version: '1.0.0' }),
      [`${store}/sharp/package.json`]: toJson({ name: 'sharp', version: '1.5.0', ...sharp }),
    })
    expect(await project.classify('sharp', `${store}/lib/index.js`)).toEqual(
      external('sharp', '1.5.0', 'native'),
    )
  })

  test('pnpm: with other peers come other versions', async () => {
    const folder = (react: string) => `node_modules/.pnpm/use@1.0.0_react@${react}/node_modules`
    const snapshot = (react: string) => `  use@1.0.0(react@${react}): { dependencies: { react: ${react} } }`
    const lock = `lockfileVersion: '9.0'
packages: { use@1.0.0: {}, react@17.0.2: { os: [linux] }, react@18.3.1: { os: [linux] } }
snapshots:
${snapshot('17.0.2')}
${snapshot('18.3.1')}`
    const use = toJson({ name: 'use', version: '1.0.0', peerDependencies: { react: '*' } })
    using project = setUp({
      ...app({}),
      'pnpm-lock.yaml': `---\npackageManagerDependencies: {}\n---\n${lock}\n`,
      [`${folder('17.0.2')}/use/package.json`]: use,
      [`${folder('18.3.1')}/use/package.json`]: use,
    })
    for (const version of ['17.0.2', '18.3.1'])
      expect(await project.classify('react', `${folder(version)}/use/a.js`)).toEqual(
        external('react', version, 'native'),
      )
  })
})

test('Plug’n’Play: Yarn says where packages are', async () => {
  using project = setUp({
    ...app({ sharp: '^0.34.0', zod: '4' }),
    'yarn.lock': `__metadata: {}\n"sharp@npm:^0.34.0":\n  version: 0.34.5\n  resolution: "sharp@npm:0.34.5"\n`,
    '.yarn/cache/sharp.zip/node_modules/sharp/package.json': toJson({ name: 'sharp', ...sharp }),
    '.yarn/cache/zod.zip/node_modules/zod/package.json': toJson({ name: 'zod' }),
  })
  const patched = Module as unknown as { findPnpApi?: unknown }
  patched.findPnpApi = () => ({
    resolveToUnqualified(name: string) {
      if (name === 'gone') throw new Error('not declared')
      return project.path(`.yarn/cache/${name}.zip/node_modules/${name}`)
    },
  })
  try {
    expect(await project.classify('sharp', 'a.ts')).toEqual(external('sharp', '0.34.5', 'native'))
    expect(await project.classify('zod', 'a.ts')).toEqual(bundle)
    expect(await refusal(project.classify('gone', 'a.ts'))).toMatchObject({ code: 'DEPENDENCY_NOT_DECLARED' })
  } finally {
    delete patched.findPnpApi
  }
})
