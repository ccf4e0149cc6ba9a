import { describe, expect, test } from 'vitest'
import { isNativeLocked, runsOnWorkers } from './native.ts'
import {
  createTestLockfile,
  readSample,
  type Sample,
  samples,
  shop,
  type TestLockfile,
  toJson,
} from './testing.ts'

/** Where each package manager puts a package that another one depends on. */
function layout(sample: Sample) {
  const inStore = (name: string, version: string) =>
    `node_modules/.pnpm/${name}@${version}/node_modules/${name}`
  const isStore = sample.startsWith('pnpm')
  return {
    debug2: isStore ? inStore('debug', '2.6.9') : 'node_modules/debug',
    debug4: isStore ? inStore('debug', '4.3.7') : 'packages/web/node_modules/debug',
    msgpackr: isStore ? inStore('msgpackr', '1.12.1') : 'node_modules/msgpackr',
  }
}

function createShop(sample: Sample, files: Record<string, string> = {}): Promise<TestLockfile> {
  const { debug2, debug4, msgpackr } = layout(sample)
  const manifest = (name: string, version: string, dependencies: object) =>
    toJson({ name, version, ...dependencies })
  return createTestLockfile(samples[sample], readSample(sample), {
    ...shop,
    [`${debug2}/package.json`]: manifest('debug', '2.6.9', { dependencies: { ms: '2.0.0' } }),
    [`${debug4}/package.json`]: manifest('debug', '4.3.7', { dependencies: { ms: '^2.1.3' } }),
    [`${debug4}/src/package.json`]: '{ "type": "commonjs" }',
    [`${msgpackr}/package.json`]: manifest('msgpackr', '1.12.1', {
      optionalDependencies: { 'msgpackr-extract': '^3.0.2' },
    }),
    ...files,
  })
}

describe.each(Object.keys(samples) as Sample[])('%s', (sample) => {
  const hasFolders = sample !== 'yarn-1.lock'
  const { debug2, debug4, msgpackr } = layout(sample)

  test('an import leads to the version of its own importer', async () => {
    using project = await createShop(sample)
    const { lockfile, place } = project
    const versionOf = (name: string, importer: string) => lockfile.find(name, place(importer))?.version
    for (const [name, importer, version] of [
      ['debug', 'src/a.ts', '2.6.9'],
      ['debug', 'packages/web/src/deep/a.ts', '4.3.7'],
      ['react', 'packages/web/a.ts', '18.3.1'],
      ['react', 'packages/lib/a.ts', '17.0.2'],
      ['ms', 'packages/lib/a.ts', '2.1.2'],
      ['ms', `${debug2}/index.js`, '2.0.0'],
      ['ms', `${debug4}/index.js`, '2.1.3'],
      ['ms', `${debug4}/src/index.js`, '2.1.3'],
      ['msgpackr', 'a.ts', '1.12.1'],
      ['msgpackr', 'packages/web/a.ts', '1.12.1'],
      ['msgpackr-extract', `${msgpackr}/index.js`, '3.0.3'],
      ['unknown', 'a.ts', undefined],
      ['__proto__', 'a.ts', undefined],
      ['constructor', 'packages/web/a.ts', undefined],
    ] as const)
      expect([name, importer, versionOf(name, importer)]).toEqual([name, importer, version])
  })

  test('an alias leads to another name', async () => {
    using project = await createShop(sample)
    expect(project.lockfile.find('small', project.place('a.ts'))).toMatchObject({
      name: 'ms',
      version: '2.0.0',
    })
  })

  test('what no registry has, has a source', async () => {
    using project = await createShop(sample)
    const { lockfile, place } = project
    expect(lockfile.find('tiny', place('a.ts'))).toMatchObject({
      version: null,
      source: expect.stringMatching(/vendor\/tiny/),
    })
    // pnpm notes that the address is one of the registry.
    expect(lockfile.find('inherits', place('a.ts'))).toMatchObject(
      sample.startsWith('pnpm')
        ? { version: '2.0.4' }
        : { version: null, source: expect.stringMatching(/^https:/) },
    )
    const lib = lockfile.find('@shop/lib', place('packages/web/a.ts'))
    if (hasFolders)
      expect(lib).toMatchObject({ version: null, source: expect.stringMatching(/^the folder .*lib$/) })
    else expect(lib).toBeNull()
  })

  test('machine code is told without an installation', async () => {
    using project = await createShop(sample)
    const isNative = (name: string) => [...new Set(lockfile.all(name).map(isNativeLocked))]
    const { lockfile } = project
    expect(isNative('msgpackr-extract')).toEqual([true])
    expect(isNative('bufferutil')).toEqual([true])
    expect(isNative('@msgpackr-extract/msgpackr-extract-linux-x64')).toEqual([hasFolders])
    expect(isNative('fsevents').every(Boolean)).toBe(hasFolders)
    expect(lockfile.all('fsevents').some(runsOnWorkers)).toBe(!hasFolders)
    expect([...isNative('rollup'), ...isNative('msgpackr'), ...isNative('debug')]).not.toContain(true)
  })

  test('all versions of a name, and the packages of the workspace', async () => {
    using project = await createShop(sample)
    const versions = new Set(project.lockfile.all('ms').map(({ version }) => version))
    expect([...versions].sort()).toEqual(['2.0.0', '2.1.2', '2.1.3'])
    expect(project.lockfile.all('unknown')).toEqual([])
    expect(project.lockfile.isMember(project.path('packages/web'))).toBe(hasFolders)
    for (const folder of ['', 'packages', 'packages/none', 'vendor'])
      expect(project.lockfile.isMember(project.path(folder))).toBe(false)
  })
})
