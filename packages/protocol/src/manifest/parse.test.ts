import { describe, expect, test } from 'vitest'
import { parseEndpointConfig } from '../endpoint-config.ts'
import { AppError } from '../error.ts'
import { parseManifest } from './parse.ts'
import type { Manifest } from './schema.ts'

const hash = 'a'.repeat(64)

const config = {
  ...parseEndpointConfig({ gpu: ['NVIDIA L4'], minCudaVersion: '12.4', workers: [1, 3] }, () => undefined),
  name: 'ocr',
  model: { owner: 'acme', name: 'reader', revision: null },
  volumes: [
    { kind: 'network', id: null, name: 'data', sizeGb: 100, dataCenter: null, create: true },
    { kind: 'global', id: 'abc', name: null, create: false },
  ],
  env: [
    { kind: 'byName', name: 'A' },
    { kind: 'literal', name: 'B', value: 'b' },
    { kind: 'secret', name: 'C', secret: 'c' },
  ],
  dependencies: ['sharp'],
  ports: ['8080/http'],
}

const sample = {
  schemaVersion: 1,
  app: 'shop',
  wireVersion: 1,
  node: 24,
  endpoints: {
    ocr: {
      kind: 'queue',
      functions: [
        {
          id: 'abcdefghij234567',
          path: 'src/ocr.ts',
          prefix: 'ocr',
          exportPath: 'Reader',
          kind: 'class',
          callables: [
            { name: 'read', kind: 'function', params: [{ name: 'n', kind: 'plain', optional: true }] },
            { name: 'all', kind: 'generator', params: null },
          ],
          constructorParams: [{ name: 'language', kind: 'plain', optional: false }],
          hasInput: false,
          hasOutput: true,
          setup: null,
          source: 'src/ocr.ts:7',
        },
      ],
      config,
      configHash: hash,
      bundle: {
        hash,
        bytes: 10,
        gzipBytes: 5,
        files: [
          { path: 'assets/model-1a2b3c4d.onnx', bytes: 3, hash },
          { path: 'main.mjs', bytes: 10, hash },
        ],
      },
      externals: [{ name: 'sharp', version: '0.34.1', reason: 'native' }],
      calls: ['other'],
    },
  },
}

const parse = (value: unknown) => parseManifest(JSON.stringify(value), '.flash/build/flash_manifest.json')

/** What is wrong, without the name of the file and the next step. */
function problemOf(value: unknown): string {
  try {
    parse(value)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    const { code, message, hint } = error as AppError
    expect([code, hint]).toEqual(['BAD_MANIFEST', 'build again: run `vite build`'])
    return message.replace('.flash/build/flash_manifest.json cannot be used: ', '')
  }
  throw new Error('it was accepted')
}

/** Every place in a value, with the keys that lead there. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  const below = Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))
  return path.length > 0 ? [path, ...below] : below
}

function withChange(path: string[], change: (owner: any, key: string) => void): unknown {
  const copy = structuredClone(sample) as any
  const owner = path.slice(0, -1).reduce((inner, key) => inner[key], copy)
  change(owner, path.at(-1)!)
  return copy
}

const show = (path: string[]) =>
  path.map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')

describe('a manifest', () => {
  test('is read as it was written', () => {
    const manifest: Manifest = parse(sample)
    expect(manifest).toEqual(sample)
  })

  for (const [what, change] of [
    ['cpu endpoints', { compute: { kind: 'cpu', instances: ['cpu3g-2-8'] } }],
    ['scaling by requests', { scaling: { by: 'requestCount', requests: 4 } }],
    ['a disk that a template decides', { diskGb: null, templateId: 't1' }],
    ['priority for snapshots', { flashboot: 'priority' }],
    ['a model of one revision', { model: { owner: 'a', name: 'b', revision: 'main' } }],
  ] as const) {
    test(`may have ${what}`, () => {
      const copy = structuredClone(sample)
      Object.assign(copy.endpoints.ocr.config, change)
      expect(parse(copy)).toEqual(copy)
    })
  }

  test('may have no endpoints, and fields that nobody knows', () => {
    const copy = { ...sample, endpoints: {}, more: 1 }
    expect(parse(copy)).toEqual(copy)
  })

  test('may say which variable has the key of calls between endpoints', () => {
    expect(parse({ ...sample, workerKey: 'CALLS_KEY' }).workerKey).toBe('CALLS_KEY')
    expect(problemOf({ ...sample, workerKey: 3 })).toBe('workerKey is 3, and a text was expected')
  })

  describe('is refused, naming the first value that is wrong', () => {
    const wrong = { wrong: ['kind'] }
    for (const path of placesOf(sample)) {
      test(show(path), () => {
        expect(problemOf(withChange(path, (owner, key) => void (owner[key] = wrong)))).toContain(show(path))
      })
    }

    for (const path of placesOf(sample).filter((path) => !/^\d+$/.test(path.at(-1)!) && path.length !== 2)) {
      test(`without ${show(path)}`, () => {
        const problem = problemOf(withChange(path, (owner, key) => void delete owner[key]))
        expect(problem).toContain(`${show(path)} is missing`)
      })
    }
  })

  for (const [what, path, value, problem] of [
    ['a number that is none', 'endpoints.ocr.bundle.bytes', -1, 'a whole number from 0 on'],
    ['part of a byte', 'endpoints.ocr.bundle.bytes', 1.5, 'a whole number from 0 on'],
    ['another reason', 'endpoints.ocr.externals.0.reason', 'x', '"listed" or "native" or "missing"'],
    ['a short hash', 'endpoints.ocr.configHash', 'abc', 'a sha256 in hex'],
    ['an id of another kind', 'endpoints.ocr.functions.0.id', 'ABC', '16 letters and digits'],
    ['a kind of compute that is none', 'endpoints.ocr.config.compute.kind', 'tpu', '"gpu" or "cpu"'],
    [
      'a long text',
      'endpoints.ocr.kind',
      'x'.repeat(80),
      `is "${'x'.repeat(59)}…, and "queue" or "balanced" was expected`,
    ],
  ] as const) {
    test(`says what is expected: ${what}`, () => {
      const changed = withChange(path.split('.'), (owner, key) => void (owner[key] = value))
      expect(problemOf(changed)).toContain(problem)
    })
  }

  for (const path of [
    '../main.mjs',
    '/main.mjs',
    'a/../../b',
    'a//b',
    './a',
    '..',
    'a/',
    '',
    'a\\b',
    'C:/a',
    'a\0b',
  ]) {
    test(`no file of an endpoint lies at ${JSON.stringify(path)}`, () => {
      const changed = withChange(
        ['endpoints', 'ocr', 'bundle', 'files', '0', 'path'],
        (owner, key) => void (owner[key] = path),
      )
      expect(problemOf(changed)).toContain('a path below the folder of the endpoint')
    })
  }

  for (const name of ['../up', 'a', 'live-x', '.tmp', 'con', '__proto__']) {
    test(`no endpoint is named ${JSON.stringify(name)}, so each can be a folder`, () => {
      const endpoints = JSON.parse(`{ ${JSON.stringify(name)}: ${JSON.stringify(sample.endpoints.ocr)} }`)
      expect(problemOf({ ...sample, endpoints })).toMatch(/^a key of endpoints is .* no such name/)
    })
  }

  for (const [text, problem] of [
    ['', 'it is no JSON'],
    ['{', 'it is no JSON'],
    ['null', 'it is null, and an object was expected'],
    ['[]', 'it is a list, and an object was expected'],
    ['{}', 'schemaVersion is missing, and 1 was expected'],
    ['{"schemaVersion":"2"}', 'schemaVersion is "2", and 1 was expected'],
    ['{"schemaVersion":0}', 'schemaVersion is 0, and 1 was expected'],
  ] as const) {
    test(`is no ${JSON.stringify(text)}`, () => {
      expect(() => parseManifest(text, 'x.json')).toThrow(`x.json cannot be used: ${problem}`)
    })
  }

  test('of a newer version is refused, whatever is in it', () => {
    expect(() => parse({ schemaVersion: 2 })).toThrow(
      expect.objectContaining({
        code: 'MANIFEST_TOO_NEW',
        message:
          '.flash/build/flash_manifest.json has version 2, and this version of unplugin-flash reads up to 1',
        hint: 'use the version of unplugin-flash that built it, or build again with this one',
      }),
    )
  })
})
