import { expect, test } from 'vitest'
import { base32, functionId } from './id.ts'

test('base32 is that of RFC 4648, in lower case and without padding', () => {
  const encode = (text: string) => base32(new TextEncoder().encode(text))
  expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map(encode)).toEqual([
    '',
    'my',
    'mzxq',
    'mzxw6',
    'mzxw6yq',
    'mzxw6ytb',
    'mzxw6ytboi',
  ])
})

test('an id stays what it is from version to version', () => {
  expect(functionId('example', 'src/receipt.ts', 'read')).toBe('jwogysoghlemxa7f')
})
