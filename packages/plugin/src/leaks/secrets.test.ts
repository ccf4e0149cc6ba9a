import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { PluginContext } from '../context.ts'
import { findSecretIn, findSecrets } from './secrets.ts'

beforeEach(() => vi.unstubAllEnvs())
afterEach(() => vi.unstubAllEnvs())

/** What a context tells of a project whose only endpoint names these variables. */
function contextWith(env: object[], setup: { env?: object; envFiles?: object } = {}): PluginContext {
  return {
    key: new Uint8Array(32).fill(7),
    setup: { env: {}, envFiles: {}, ...setup },
    project: { functions: () => [{ endpoint: 'one' }], config: async () => ({ env }) },
  } as unknown as PluginContext
}

const named = (name: string) => ({ kind: 'byName', name })

test.for([
  ['API_TOKEN', 'k3yW0rd5', true],
  ['API_TOKEN', 'undefined', false],
  ['DB_HOST', 'localhost', false],
  ['REGION', 'eu-central-1', false],
  ['SERVICE_URL', 'https://api.example.com/v1/things', false],
  ['SERVICE_URL', 'postgres://ada:s3cret9x@db.example.com/main', true],
  ['BUILD', '4f9a1c77de02b8653a', true],
  ['PRIVATE_KEY', 'aaaaaaaaaaaaaaaaaaaaaaaa', false],
] as const)('%s=%s is a secret: %s', async ([name, value, expected]) => {
  vi.stubEnv(name, value)
  const secrets = await findSecrets(contextWith([named(name)]))
  expect(secrets.some((secret) => secret.name === `the value of ${name}`)).toBe(expected)
})

test('what Vite makes public, and what a config says itself, are none', async () => {
  vi.stubEnv('VITE_TOKEN', 'abcdefgh12345678')
  const context = contextWith(
    [named('VITE_TOKEN'), { kind: 'literal', name: 'SALT', value: 'abcdefgh87654321' }],
    { env: { VITE_TOKEN: 'abcdefgh12345678' } },
  )
  expect((await findSecrets(context)).map(({ name }) => name)).toEqual(['the key of the project'])
})

test('secrets of the account are found by the variable that stands for them here', async () => {
  const context = contextWith([{ kind: 'secret', name: 'HF', secret: 'hf' }], {
    envFiles: { hf: 'hf_abcdefgh' },
  })
  expect((await findSecrets(context)).map(({ name }) => name)).toContain('the value of hf')
})

test('a value is found however it is written', async () => {
  const value = 'pa"ss\\wörd`9\nsecond line that is long enough'
  vi.stubEnv('THE_PASSWORD', value)
  const secrets = await findSecrets(contextWith([named('THE_PASSWORD')]))
  const found = 'the value of THE_PASSWORD'
  for (const text of [
    value,
    JSON.stringify(value),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    `\`${value.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``,
    `x("second line that is long enough")`,
  ])
    expect(findSecretIn(`before ${text} after`, secrets), text).toBe(found)
  expect(findSecretIn('nothing of it', secrets)).toBeNull()
})

test('keys of accounts are known by their look, examples are none', () => {
  expect(findSecretIn(`"rpa_${'9fK2mQx7Lw'.repeat(4)}"`, [])).toBe('a key of a Runpod account')
  expect(findSecretIn(`"rpa_${'x'.repeat(40)}"`, [])).toBeNull()
  expect(findSecretIn('"rpa_short"', [])).toBeNull()
})
