import { expect, test } from 'vitest'
import { resolveWorkerEnv } from './env.ts'

const sources = {
  process: {
    PATH: '/bin',
    HOME: '/home/ann',
    RUNPOD_API_KEY: 'rp_secret',
    NODE_OPTIONS: '--inspect',
    TOKEN: 'from process',
  },
  files: { TOKEN: 'from file', HF: 'hf_1', UNNAMED: 'x' },
  place: 'in .env.local or in the environment of the dev server',
}

test('a worker starts from an allow-list: no key and nothing unnamed reaches it', () => {
  expect(resolveWorkerEnv('e', [], sources)).toEqual({ PATH: '/bin', HOME: '/home/ann' })
})

test('a name is taken from the process, then from the .env files', () => {
  const env = resolveWorkerEnv(
    'e',
    [
      { kind: 'byName', name: 'TOKEN' },
      { kind: 'byName', name: 'HF' },
    ],
    sources,
  )
  expect(env).toMatchObject({ TOKEN: 'from process', HF: 'hf_1' })
})

test('a literal is itself, a secret is the variable of its name', () => {
  const env = resolveWorkerEnv(
    'e',
    [
      { kind: 'literal', name: 'MODE', value: 'fast' },
      { kind: 'secret', name: 'HF_TOKEN', secret: 'HF' },
    ],
    sources,
  )
  expect(env).toMatchObject({ MODE: 'fast', HF_TOKEN: 'hf_1' })
})

test('every missing name is listed at once, no value is printed', () => {
  const wanted = [
    { kind: 'byName', name: 'ONE' },
    { kind: 'secret', name: 'T', secret: 'TWO' },
    { kind: 'byName', name: 'HF' },
  ] as const
  expect(() => resolveWorkerEnv('ocr', wanted, sources)).toThrow(
    expect.objectContaining({
      code: 'ENV_MISSING',
      message: expect.stringMatching(/"ocr".*"ONE", "TWO".*they have/),
      hint: 'put ONE, TWO in .env.local or in the environment of the dev server',
      data: { missing: ['ONE', 'TWO'] },
    }),
  )
})

test('an empty value is a value', () => {
  expect(
    resolveWorkerEnv('e', [{ kind: 'byName', name: 'E' }], { process: { E: '' }, files: {}, place: '' }),
  ).toMatchObject({ E: '' })
})
