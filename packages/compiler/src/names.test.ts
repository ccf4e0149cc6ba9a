import { checkEndpointName } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { deriveEndpointName, filePrefix, nameKey } from './names.ts'

describe('file prefix', () => {
  for (const [path, prefix, owner] of [
    ['src/receipt.ts', 'receipt'],
    ['src/index.ts', 'index'],
    ['index.ts', 'index'],
    ['src/lib/index.ts', 'lib'],
    ['lib/ai/index.mts', 'lib/ai'],
    ['src/src/a.ts', 'src/a'],
    ['a.server.ts', 'a.server'],
    ['src/a.b/c.d.tsx', 'a.b/c.d'],
    ['app/src/a.ts', 'app/src/a'],
    ['src/my-index.ts', 'my-index'],
    ['src/indexes/index.ts', 'indexes'],
    ['src/index/index.ts', 'index'],
    ['src/.hidden.ts', '.hidden'],
    ['src/.ts', '.ts'],
    ['src/[id].ts', '[id]'],
    ['src/a.ts', '@acme/ml/a', '@acme/ml'],
    ['index.js', 'ml/index', 'ml'],
    ['src/index.ts', 'ml/index', 'ml'],
  ] as const) {
    test(`${owner ? `${owner} + ` : ''}${path} → ${prefix}`, () => {
      expect(filePrefix({ path, package: owner })).toBe(prefix)
    })
  }
})

describe('derived endpoint name', () => {
  for (const [prefix, exportPath, name] of [
    ['receipt', 'read', 'receipt-read'],
    ['lib/ocr', 'read', 'lib-ocr-read'],
    ['receipt', 'default', 'receipt'],
    ['receipt', 'receipt', 'receipt'],
    ['lib/ocr', 'ocr', 'lib-ocr'],
    ['lib/ocr', 'lib', 'lib-ocr-lib'],
    ['lib/ai', 'ai', 'lib-ai'],
    ['ai', 'default', 'ai-default'],
    ['ai', 'ai', 'ai-ai'],
    ['abc', 'default', 'abc'],
    ['models', 'models.small', 'models-models.small'],
    ['live/x', 'read', 'fn-live-x-read'],
    ['live-x', 'default', 'fn-live-x'],
    ['flash', 'default', 'fn-flash'],
    ['con', 'default', 'fn-con'],
    ['aux', 'aux', 'fn-aux'],
    ['flash_manifest.json', 'default', 'fn-flash_manifest.json'],
    ['app.tar.gz', 'default', 'fn-app.tar.gz'],
    ['app.tar.gz', 'read', 'app.tar.gz-read'],
    ['con', 'read', 'con-read'],
    ['nul.server', 'read', 'fn-nul.server-read'],
    ['dev/x', 'abcdef', 'fn-dev-x-abcdef'],
    ['dev/x', 'abcdeg', 'dev-x-abcdeg'],
    ['_lib', 'read', 'fn-_lib-read'],
    ['.hidden', 'read', 'fn-.hidden-read'],
  ] as const) {
    test(`${prefix} + ${exportPath} → ${name}`, () => {
      expect(deriveEndpointName(prefix, exportPath)).toBe(name)
      expect(checkEndpointName(name)).toBeUndefined()
    })
  }

  for (const [prefix, exportPath] of [
    ['[id]', 'read'],
    ['@acme/ml/a', 'read'],
    ['a b', 'read'],
    ['lib', 'read_'],
    ['lib', '$read$'],
    ['a'.repeat(60), 'read'],
  ] as const) {
    test(`${prefix} + ${exportPath} has no allowed name`, () => {
      expect(checkEndpointName(deriveEndpointName(prefix, exportPath))).toBeTypeOf('string')
    })
  }
})

describe('what is no endpoint name', () => {
  for (const [name, reason] of [
    ['', /0 characters/],
    ['a', /1 character;/],
    ['ab', /2 characters/],
    ['a'.repeat(64), /64 characters/],
    ['-ab', /begin and end/],
    ['ab-', /begin and end/],
    ['a.b.', /begin and end/],
    ['a b', /letters, digits/],
    ['grüße', /letters, digits/],
    ['a/b', /letters, digits/],
    ['live-x', /live-/],
    ['LIVE-x', /live-/],
    ['dev-demo-hello-656931', /dev-/],
    ['dev-a-ABCDEF', /dev-/],
    ['dev--abcdef', /dev-/],
    ['flash', /look-up/],
    ['Flash', /look-up/],
    ['con', /Windows/],
    ['NUL.x', /Windows/],
    ['com1', /Windows/],
    ['LPT9.tar', /Windows/],
    ['flash_manifest.json', /folder of the build/],
    ['Flash_Manifest.JSON', /folder of the build/],
    ['app.tar.gz', /folder of the build/],
    ['APP.tar.gz', /folder of the build/],
    ['.tmp', /begin and end/],
    ['.tmp-1-2', /begin and end/],
    ['.lock', /begin and end/],
    ['.endpoints.json', /begin and end/],
  ] as const)
    test(JSON.stringify(name), () => expect(checkEndpointName(name)).toMatch(reason))

  for (const name of [
    'abc',
    'a'.repeat(63),
    'a.b',
    'A_b-9',
    'liver',
    'livex',
    'flash2',
    'dev-x',
    'dev-x-12345',
    'dev-abcdef',
    'console',
    'com10',
    'null',
    'flash_manifest',
    'flash_manifest.json2',
    'my-app.tar.gz',
    'app.tar',
    'app-tar.gz',
  ]) {
    test(`${name} is one`, () => expect(checkEndpointName(name)).toBeUndefined())
  }

  test('names that differ in case only are the same endpoint', () => {
    expect(nameKey('Photos-FB')).toBe(nameKey('photos-fb'))
  })
})
