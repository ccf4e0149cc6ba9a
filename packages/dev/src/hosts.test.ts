import { expect, test } from 'vitest'
import { type AllowedHosts, checkHost } from './hosts.ts'

for (const [host, allowed] of [
  ['localhost', []],
  ['LOCALHOST:5173', []],
  ['app.localhost:5173', []],
  ['127.0.0.1:5173', []],
  ['192.168.1.7', []],
  ['[::1]:5173', []],
  ['dev.test:1', ['dev.test']],
  ['Dev.Test', ['dev.test']],
  ['a.dev.test', ['.dev.test']],
  ['dev.test', ['.dev.test']],
  ['anything', true],
] as [string, AllowedHosts][])
  test(`${host} is the server's own with ${JSON.stringify(allowed)}`, () =>
    expect(() => checkHost(host, allowed)).not.toThrow())

for (const [host, allowed] of [
  [undefined, []],
  ['', []],
  ['evil.test', []],
  ['localhost.evil.test', []],
  ['127.0.0.1.evil.test', []],
  ['evil-localhost', []],
  ['a.dev.test', ['dev.test']],
  ['evildev.test', ['.dev.test']],
  ['localhost:80:90', []],
  ['[::1', []],
] as [string | undefined, AllowedHosts][])
  test(`${host} is not the server's own with ${JSON.stringify(allowed)}`, () =>
    expect(() => checkHost(host, allowed)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' })))
