import { describe, expect, test } from 'vitest'
import { createRedact, redact, redactData } from './redact.ts'

const key = 'rpa_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz'

describe('texts that look like secrets', () => {
  test.each([
    ['a key by its prefix', `using ${key} now`, 'using rpa_…6789 now'],
    ['an OpenAI key', 'sk-abcdefghijklmnopqrstuvwxyz012345', 'sk-a…2345'],
    ['a bearer token', `Authorization: Bearer ${'x'.repeat(30)}`, 'Authorization: Bearer xxxx…xxxx'],
    ['a short bearer token', 'bearer abcdef', 'bearer [redacted]'],
    ['an assignment', 'RUNPOD_API_KEY=abc123', 'RUNPOD_API_KEY=[redacted]'],
    ['a JSON field', '{"password": "hunter2", "user": "ann"}', '{"password": "[redacted]", "user": "ann"}'],
    ['a quoted field', "client_secret: 'two words'", "client_secret: '[redacted]'"],
    ['a token', 'token=abcdef; next', 'token=[redacted]; next'],
    ['a JSON web token', jwt, 'eyJh…MTIz'],
    ['an AWS key id', 'AKIAABCDEFGHIJKLMNOP', '[redacted]'],
    ['a password in a URL', 'postgres://ann:hunter2@db:5432/x', 'postgres://ann:[redacted]@db:5432/x'],
    [
      'a signed URL',
      'https://x/y?a=1&X-Amz-Signature=deadbeef&b=2',
      'https://x/y?a=1&X-Amz-Signature=[redacted]&b=2',
    ],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.', '[redacted].'],
    ['a private key cut short', 'x -----BEGIN PRIVATE KEY-----\nabc', 'x [redacted]'],
  ])('%s', (_, text, wanted) => expect(redact(text)).toBe(wanted))

  test.each([
    'max_tokens: 512',
    '"token": 12',
    'job 7c1f5a0e-2f6c-4a39-9a43-5f3b1e1d2a10-u1 COMPLETED',
    'https://example.org:8080/a@b',
    'the secret is out',
    'sk-short',
  ])('left alone: %s', (text) => expect(redact(text)).toBe(text))

  test('what is redacted stays as it is', () => {
    const once = redact(`api_key=${key} password: x1`)
    expect(redact(once)).toBe(once)
  })
})

describe('secrets that are known', () => {
  test('go wherever they stand, the longest first', () => {
    const clean = createRedact(['swordfish', 'swordfish-and-more', 'abc'])
    expect(clean('a swordfish-and-more, xswordfishx, abc')).toBe('a [redacted], x[redacted]x, abc')
  })

  test('are taken as they are, not as patterns', () => {
    expect(createRedact(['a.c$&d*'])('abcdd a.c$&d*')).toBe('abcdd [redacted]')
  })
})

test('data keeps its shape', () => {
  const value = {
    apiKey: 'x',
    'X-Api-Key': 'x',
    accessToken: 'x',
    password: '',
    authorization: 'Bearer abcdef',
    Cookie: 'a=b',
    max_tokens: 5,
    secret: null,
    list: [`see ${key}`, 1, null, { dbPassword: 7 }],
    note: undefined,
  }
  expect(redactData(value)).toEqual({
    apiKey: '[redacted]',
    'X-Api-Key': '[redacted]',
    accessToken: '[redacted]',
    password: '',
    authorization: '[redacted]',
    Cookie: '[redacted]',
    max_tokens: 5,
    secret: null,
    list: ['see rpa_…6789', 1, null, { dbPassword: '[redacted]' }],
    note: undefined,
  })
})

test('a long line takes time in proportion to it', () => {
  const lines = [
    'a-',
    'eyJ-',
    'api_key',
    'x://',
    'token',
    'sk-',
    'Bearer ',
    '-----BEGIN PRIVATE KEY',
    '"password',
    '?key',
  ].map((piece) => piece.repeat(400_000 / piece.length))
  const start = performance.now()
  for (const line of lines) redact(line)
  expect(performance.now() - start).toBeLessThan(5_000)
})
