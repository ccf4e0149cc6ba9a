import { expect, test } from 'vitest'
import type { RunningEndpoint } from './endpoints/types.ts'
import { parseHost, parseTarget } from './http/target.ts'
import { findPlace } from './routes.ts'

const endpoint = { spec: { id: 'abc' } } as RunningEndpoint
const host = {
  get: (id: string) => (id === 'abc' ? endpoint : undefined),
  lookUp: ({ app, environment, endpoint }: { app: string; environment: string; endpoint: string }) =>
    `${app}/${environment}/${endpoint}` === 'shop/staging/speech' ? 'abc' : 'gone',
}
const names = { 'x-flash-app': 'shop', 'x-flash-environment': 'staging', 'x-flash-endpoint': 'speech' }

function place(url: string, name = '127.0.0.1', headers: Record<string, string> = {}) {
  const found = findPlace(host, parseHost(name)!, parseTarget(url)!, (header) => headers[header])
  const inner = 'target' in found ? found.target.url : 'path' in found ? found.path : ''
  return `${found.kind} ${inner}`
}

test.each([
  ['/v2/abc/run?wait=1', 'data /run?wait=1'],
  ['/v2/abc', 'data /'],
  ['/v2/abc?x=/y', 'data /?x=/y'],
  ['/v2/abc/job-take/w1?x', 'worker /job-take/w1?x'],
  ['/v2/abc/ping/w1', 'worker /ping/w1'],
  ['/v2/other/run', 'control '],
  ['/v2/serverless', 'control '],
  ['/graphql', 'control '],
  ['/lb/abc/a%2Fb?c', 'balanced /a%2Fb?c'],
  ['/lb/abc', 'balanced /'],
  ['/lb/abc?c=/', 'balanced /?c=/'],
  ['/lb/other/x', 'refused '],
  ['/_emulator/state', 'own /state'],
])('%s is for %s', (url, wanted) => {
  expect(place(url)).toBe(wanted)
})

test('by host name everything is for the worker', () => {
  for (const url of ['/v2/abc/run', '/_emulator/state', '/']) {
    expect(place(url, 'abc.localhost')).toBe(`balanced ${url}`)
    expect(place(url, 'flash.data.localhost', names)).toBe(`balanced ${url}`)
    expect(place(url, 'flash.data.localhost')).toBe('refused ')
  }
})

test('the id flash is whichever endpoint the headers name', () => {
  expect(place('/v2/flash/runsync', 'localhost', names)).toBe('data /runsync')
  expect(place('/lb/flash/x', 'localhost', names)).toBe('balanced /x')
  expect(place('/v2/flash/status/1', 'localhost', { ...names, 'x-flash-app': 'other' })).toBe('refused ')
  for (const missing of Object.keys(names))
    expect(place('/v2/flash/run', 'localhost', { ...names, [missing]: '' })).toBe('refused ')
})
