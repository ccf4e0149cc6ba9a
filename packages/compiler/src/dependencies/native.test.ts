import { describe, expect, test } from 'vitest'
import { createTestProject } from '../testing/project.ts'
import { findInstalled } from './installed.ts'
import { readManifest } from './manifest.ts'
import { isNativeInstalled, isNativeLocked, runsOnWorkers } from './native.ts'
import { toLocked } from './locked.ts'
import { toJson } from './testing.ts'

/** As published, without what says nothing here. */
const published = {
  sharp: {
    main: 'lib/index.js',
    files: ['install', 'lib', 'src/*.{cc,h,gyp}'],
    scripts: { install: 'node install/check' },
    binary: { napi_versions: [9] },
    optionalDependencies: { '@img/sharp-darwin-arm64': '0.33.5', '@img/sharp-wasm32': '0.33.5' },
  },
  'onnxruntime-node': {
    os: ['win32', 'darwin', 'linux'],
    binary: { napi_versions: [6] },
    scripts: { postinstall: 'node ./script/install' },
  },
  '@esbuild/linux-x64': { os: ['linux'], cpu: ['x64'] },
  esbuild: {
    scripts: { postinstall: 'node install.js' },
    optionalDependencies: { '@esbuild/aix-ppc64': '0.28.2', '@esbuild/win32-x64': '0.28.2' },
  },
  rolldown: {
    files: ['dist', '!dist/*.node'],
    optionalDependencies: {
      '@rolldown/binding-linux-x64-gnu': '1.2.19',
      '@rolldown/binding-wasm32-wasi': '1',
    },
  },
  lightningcss: { optionalDependencies: { 'lightningcss-linux-arm-gnueabihf': '1.33.0' } },
  turbo: { optionalDependencies: { 'turbo-windows-64': '2.0.0' } },
  'better-sqlite3': {
    scripts: { install: 'prebuild-install || node-gyp rebuild --release' },
    dependencies: { bindings: '^1.5.0', 'prebuild-install': '^7.1.1' },
  },
  bufferutil: { scripts: { install: 'node-gyp-build' }, dependencies: { 'node-gyp-build': '^4.3.0' } },
  ssh2: {
    scripts: { install: 'node install.js' },
    optionalDependencies: { 'cpu-features': '~0.0.10', nan: '^2' },
  },
  re2: { scripts: { install: 'install-from-cache --artifact build/Release/re2.node || node-gyp rebuild' } },
  usocket: { gypfile: true },
  'fsevents 1': { os: ['darwin'] },
  'an addon as main': { main: './addon.node' },
  'addons in files': { files: ['dist/*.node', 'dist/**/*.js'] },
  'musl only': { libc: 'musl' },
}

const plain = {
  zod: { main: './index.cjs', files: ['src', '**/*.js'] },
  h3: { files: ['bin', 'dist'], dependencies: { rou3: '^1', srvx: '^1' } },
  chokidar: { dependencies: { readdirp: '~3.6.0' }, optionalDependencies: { fsevents: '~2.3.2' } },
  'rollup 3': { optionalDependencies: { fsevents: '~2.3.2' } },
  msgpackr: { optionalDependencies: { 'msgpackr-extract': '^3.0.2' } },
  ws: { peerDependencies: { bufferutil: '^4' }, peerDependenciesMeta: { bufferutil: { optional: true } } },
  'core-js': { scripts: { postinstall: 'node -e "try{require(\'./postinstall\')}catch(e){}"' } },
  'built by its author': { scripts: { build: 'node-gyp rebuild', prepublish: 'prebuildify' } },
  'addons left out': { files: ['dist', '!dist/*.node'] },
  'for everything': { os: ['any'], cpu: 'any' },
  'of the wrong types': {
    os: 5,
    cpu: { x64: true },
    binary: 'x',
    files: [1, null],
    optionalDependencies: ['a'],
  },
  'no object': [],
}

describe('what a package says of itself', () => {
  for (const [name, data] of Object.entries(published))
    test(`${name}: native`, () => expect(isNative(data)).toBe(true))
  for (const [name, data] of Object.entries(plain))
    test(`${name}: not native`, () => expect(isNative(data)).toBe(false))
})

function isNative(data: object, files: Record<string, string> = {}): boolean {
  using project = createTestProject({ ...files, 'package.json': toJson(data) })
  return isNativeInstalled(readManifest(project.root)!)
}

describe('what is in its folder', () => {
  for (const [file, expected] of [
    ['binding.gyp', true],
    ['prebuilds/linux-x64/addon.node', true],
    ['bin/napi-v6/linux/x64/onnxruntime_binding.node', true],
    ['src/binding.gyp', false],
    ['node_modules/other/addon.node', false],
    ['lib/addon.node.js', false],
    ['a/b/c/d/e/f/g/h/too/deep.node', false],
  ] as const)
    test(`${file}: ${expected}`, () => expect(isNative({}, { [file]: '' })).toBe(expected))

  test('a package of very many folders is looked at in part', () => {
    const many = Object.fromEntries(Array.from({ length: 320 }, (_, index) => [`a/${index}/index.js`, '']))
    expect(isNative({}, { ...many, 'z/addon.node': '' })).toBe(true)
    expect(isNative({}, { ...many, 'z/y/addon.node': '' })).toBe(false)
  })

  test('the answer is kept until its package.json changes', () => {
    using project = createTestProject({ 'package.json': '{}' })
    expect(isNativeInstalled(readManifest(project.root)!)).toBe(false)
    project.write({ 'addon.node': '' })
    expect(isNativeInstalled(readManifest(project.root)!)).toBe(false)
    project.write({ 'package.json': '{ "name": "changed" }' })
    expect(isNativeInstalled(readManifest(project.root)!)).toBe(true)
  })
})

describe('packages as they are installed here', () => {
  const folderOf = (name: string) => findInstalled(name, import.meta.dirname)!
  for (const name of ['sharp', 'onnxruntime-node', 'esbuild', 'rolldown', 'oxc-parser', 'lightningcss'])
    test(`${name}: native`, () => expect(isNativeInstalled(readManifest(folderOf(name))!)).toBe(true))
  for (const name of ['@gutenye/ocr-node', 'vite', 'zod', 'h3', 'jsdom', 'playwright-core'])
    test(`${name}: not native`, () => expect(isNativeInstalled(readManifest(folderOf(name))!)).toBe(false))
})

test('a lockfile tells by systems, optional packages for them, and helpers', () => {
  for (const [more, expected] of [
    [{}, false],
    [{ os: ['linux'] }, true],
    [{ libc: ['glibc'] }, true],
    [{ cpu: ['any'] }, false],
    [{ isBuilt: true }, true],
    [{ dependencies: ['node-addon-api'] }, true],
    [{ dependencies: ['node-gyp'] }, false],
    [{ optional: ['@img/sharp-linux-x64'] }, true],
    [{ optional: ['fsevents', 'linux-only', 'base-64', 'winston'] }, false],
  ] as const)
    expect([more, isNativeLocked(toLocked('a', '1.0.0', more as object))]).toEqual([more, expected])
})

test('what can be installed where workers run', () => {
  for (const [os, cpu, expected] of [
    [[], [], true],
    [['linux'], ['x64'], true],
    [['linux'], ['arm64'], true],
    [['darwin'], [], false],
    [['!win32'], [], true],
    [['!linux'], [], false],
    [['any'], ['any'], true],
    [['linux'], ['ppc64'], false],
    [['linux'], ['!x64', '!arm64'], false],
  ] as const)
    expect([os, cpu, runsOnWorkers({ os: [...os], cpu: [...cpu] })]).toEqual([os, cpu, expected])
})
