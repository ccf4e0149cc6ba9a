import { expect, test } from 'vitest'
import { hasToken } from './token.ts'

test('the token is compared whole', () => {
  const has = (authorization: string) => hasToken(new Headers({ authorization }), 'secret-token')
  expect(has('Bearer secret-token')).toBe(true)
  expect(has('bearer secret-token')).toBe(true)
  for (const bad of ['', 'secret-token', 'Bearer secret', 'Bearer secret-token2', 'Basic secret-token'])
    expect(has(bad)).toBe(false)
})
