import { describe, expect, test } from 'vitest'
import { findAddress, hostOf } from './address.ts'

describe('the address of a request', () => {
  for (const line of [
    '/',
    '/items',
    '/items/a.b/',
    '/items?page=1&tag=a%20b/?',
    '//elsewhere/x',
    '/./a/../b',
    '/.well-known/x',
    '/%2e%2E/a',
    '/%C3%A4?%zz',
    '/\u00e4"<b>`{}|^?\u00e4"<b>\'',
    '/a\\b',
    '/a#b?c',
    '/a?',
    '/a??b#c',
  ]) {
    test(`is read as the web does: ${JSON.stringify(line)}`, () => {
      const { pathname, search } = new URL(`http://localhost${line}`)
      expect(findAddress(line)).toEqual({ pathname, search, target: line })
    })
  }

  test('is without the host that stands in the line', () => {
    const found = { pathname: '/x', search: '?y=1', target: '/x?y=1' }
    expect(findAddress('http://elsewhere/x?y=1')).toEqual(found)
    expect(findAddress('*')).toMatchObject({ pathname: '/*' })
    expect(findAddress('http://[/')).toBeUndefined()
  })

  test('has the host that was asked for, if that is one', () => {
    const host = (text?: string) => hostOf({ headers: { host: text } } as never)
    expect([host('a.b:80'), host('[::1]:80'), host('a b'), host('a:b'), host()]).toEqual([
      'a.b:80',
      '[::1]:80',
      'localhost',
      'localhost',
      'localhost',
    ])
  })
})
