import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { checkPeer } from './guard.ts'

const token = 'secret-token'
const from = (remoteAddress: string | undefined, encrypted = false) =>
  ({ socket: { remoteAddress, encrypted } }) as unknown as IncomingMessage
const ask = (headers: Record<string, string>, method = 'POST') =>
  new Request('http://localhost:5173/_flash/a/run', {
    method,
    headers: { host: 'localhost:5173', ...headers },
  })

describe('who may reach the development routes', () => {
  for (const [what, headers, address, kind] of [
    [
      'a page of the app',
      { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:5173' },
      '127.0.0.1',
      'page',
    ],
    [
      'a page of the app in a browser without fetch metadata',
      { origin: 'http://localhost:5173' },
      '127.0.0.1',
      'page',
    ],
    ['a page of the app from another machine', { 'sec-fetch-site': 'same-origin' }, '192.168.1.7', 'page'],
    ['curl on this machine', {}, '127.0.0.1', 'program'],
    ['curl by IPv6', { host: '[::1]:5173' }, '::1', 'program'],
    ['curl by another address of this machine', { host: '127.1.2.3' }, '127.1.2.3', 'program'],
    ['curl by a name below localhost', { host: 'shop.localhost:5173' }, '127.0.0.1', 'program'],
    [
      'curl by another name, with the token',
      { host: 'shop.test', authorization: 'Bearer secret-token' },
      '127.0.0.1',
      'program',
    ],
    [
      'a page of an app with a name, of which browsers tell no more than where it is',
      { host: 'shop.test:5173', referer: 'http://shop.test:5173/basket?x' },
      '127.0.0.1',
      'page',
    ],
    ['a program elsewhere with the token', { authorization: 'Bearer secret-token' }, '10.0.0.2', 'program'],
  ] as const) {
    test(what, () => expect(checkPeer(ask(headers), from(address), token)).toMatchObject({ kind }))
  }

  for (const [what, headers, address] of [
    ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, '127.0.0.1'],
    [
      'a page of another port of this machine',
      { 'sec-fetch-site': 'same-site', origin: 'http://localhost:9999' },
      '127.0.0.1',
    ],
    ['an address-bar navigation', { 'sec-fetch-site': 'none' }, '127.0.0.1'],
    ['a foreign origin without fetch metadata', { origin: 'http://localhost:9999' }, '127.0.0.1'],
    ['a sandboxed page', { origin: 'null' }, '127.0.0.1'],
    ['the same host over another scheme', { origin: 'https://localhost:5173' }, '127.0.0.1'],
    [
      'a foreign page that claims a token',
      { 'sec-fetch-site': 'cross-site', authorization: 'Bearer secret-token' },
      '127.0.0.1',
    ],
    // Browsers tell nothing of a page that loads something of a plain address which is not localhost.
    ['an image in a page of another site, by 0.0.0.0', { host: '0.0.0.0:5173' }, '127.0.0.1'],
    ['an image in a page of another site, by a name', { host: 'shop.test:5173' }, '127.0.0.1'],
    ['one that says where it is', { host: 'shop.test', referer: 'http://evil.test/' }, '127.0.0.1'],
    ['one that says so in nonsense', { host: 'shop.test', referer: 'shop.test' }, '127.0.0.1'],
    ['a program on another machine', {}, '192.168.1.7'],
    ['a program whose socket is closed already', {}, undefined],
    ['a program on another machine with a wrong token', { authorization: 'Bearer nope' }, '192.168.1.7'],
  ] as const) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      test(`not ${what} (${method})`, () =>
        expect(() => checkPeer(ask(headers, method), from(address), token)).toThrow(
          expect.objectContaining({ code: 'FORBIDDEN' }),
        ))
    }
  }

  test('the address bar, for a page of our own', () => {
    const typed = ask({ 'sec-fetch-site': 'none' }, 'GET')
    expect(checkPeer(typed, from('127.0.0.1'), token, true)).toEqual({ loopback: true, kind: 'page' })
    const linked = ask({ 'sec-fetch-site': 'cross-site' }, 'GET')
    expect(() => checkPeer(linked, from('127.0.0.1'), token, true)).toThrow(/another site/)
  })

  test('a call inside this process', () => {
    expect(checkPeer(ask({}), undefined, token)).toEqual({ loopback: true, kind: 'program' })
  })

  test('over TLS the served origin is https', () => {
    const secure = ask({ origin: 'https://localhost:5173' })
    expect(checkPeer(secure, from('127.0.0.1', true), token).kind).toBe('page')
  })
})
