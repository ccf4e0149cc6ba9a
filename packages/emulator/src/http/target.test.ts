import { expect, test } from 'vitest'
import { parseHost, parseTarget, queryValue } from './target.ts'

test.each([
  ['/v2/a/run?wait=1&x=%20', { segments: ['v2', 'a', 'run'], query: 'wait=1&x=%20' }],
  ['/', { segments: [''], query: '' }],
  ['//graphql', { segments: ['', 'graphql'], query: '' }],
  ['/a%2Fb/c', { segments: ['a/b', 'c'], query: '' }],
  ['http://elsewhere/v2/a?x', { url: '/v2/a?x', segments: ['v2', 'a'], query: 'x' }],
] as const)('the address %s', (url, target) => {
  expect(parseTarget(url)).toMatchObject(target)
})

test.each([undefined, '', '*', 'a b', '/%', '/%zz', 'mailto:x'])('%s is no address', (url) => {
  expect(parseTarget(url)).toBeNull()
})

test.each([
  [undefined, null, true],
  ['127.0.0.1:80', null, true],
  ['[::1]:80', null, true],
  ['localhost:8787', null, true],
  ['emulator:8787', null, true],
  ['host.docker.internal:8787', 'host', true],
  ['abc.localhost', 'abc', true],
  ['ABC.data.localhost:1', 'abc', true],
  ['abc.127.0.0.1:1', 'abc', true],
  ['evil.example:8787', 'evil', false],
  ['127.0.0.1.evil.example', '127', false],
  ['localhost.evil.example', 'localhost', false],
])('the host %s', (header, label, isLocal) => {
  expect(parseHost(header)).toEqual({ label, isLocal })
})

test.each(['a b', 'a:b', '[::1', '%zz', 'a@b', 'a/b', 'zoë'])('%s is no host', (header) => {
  expect(parseHost(header)).toBeNull()
})

test('a value of a query', () => {
  expect(queryValue('wait=5&wait=6', 'wait')).toBe('5')
  expect(queryValue('a=1', 'wait')).toBeNull()
  expect(queryValue('', 'wait')).toBeNull()
})
