import { expect, test } from 'vitest'
import { parseRequestPath } from './request-path.ts'

for (const [text, path, query = ''] of [
  ['/items/1', '/items/1'],
  ['items', '/items'],
  ['', '/'],
  ['//evil.test/x', '//evil.test/x'],
  ['/search?q=a%20b#top', '/search', '?q=a%20b'],
  ['?page=2', '/', '?page=2'],
  ['/files/100%25', '/files/100%25'],
  ['/files/a..b/...', '/files/a..b/...'],
  ['/ping/x', '/ping/x'],
  ['/pingpong', '/pingpong'],
  ['/ping ', '/ping%20'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/x?back=/../ping', '/x', '?back=/../ping'],
] as const)
  test(`"${text}" is ${path} with "${query}"`, () => expect(parseRequestPath(text)).toEqual({ path, query }))

for (const [text, code] of [
  ['/..', 'BAD_PATH'],
  ['/a/../b', 'BAD_PATH'],
  ['/a/%2e%2E/b', 'BAD_PATH'],
  ['/a/.%252e/b', 'BAD_PATH'],
  ['/%252e%252e/%25zz', 'BAD_PATH'],
  ['/a%2f..%2fb', 'BAD_PATH'],
  ['\\\\evil.test', 'BAD_PATH'],
  ['/a%5cb', 'BAD_PATH'],
  ['/.\t./b', 'BAD_PATH'],
  ['/a%0d%0ab', 'BAD_PATH'],
  ['/a?b=\n', 'BAD_PATH'],
  ['/100%', 'BAD_PATH'],
  ['/ping', 'RESERVED_PATH'],
  ['//ping/', 'RESERVED_PATH'],
  ['/./p%69ng?x=1', 'RESERVED_PATH'],
  ['execute', 'RESERVED_PATH'],
  ['/_runpod/sync', 'RESERVED_PATH'],
  ['/_runpod', 'RESERVED_PATH'],
  ['/%255frunpod/x', 'RESERVED_PATH'],
] as const)
  test(`${JSON.stringify(text)} is ${code}`, () =>
    expect(() => parseRequestPath(text)).toThrow(expect.objectContaining({ code })))
