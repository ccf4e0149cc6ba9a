import { createRouteTable } from '@flash/dev'
import type { FunctionFact } from '@flash/protocol'
import { expect, test } from 'vitest'
import { printRoutes } from './print.ts'

function fact(exportPath: string, more: Partial<FunctionFact>): FunctionFact {
  return {
    id: exportPath,
    package: 'app',
    path: 'src/images.ts',
    file: '/app/src/images.ts',
    prefix: 'images',
    exportPath,
    exported: true,
    kind: 'function',
    callables: [],
    constructorParams: null,
    setup: null,
    hasInput: false,
    hasOutput: false,
    endpoint: 'images',
    at: { file: 'src/images.ts', line: 3, column: 1 },
    ...more,
  }
}

function route(method: 'GET' | 'POST' | 'WS', path: string): FunctionFact {
  return fact(`api.${method} ${path}`, { kind: 'route', route: { method, path, schemas: [] } })
}

/** What is printed, with one space where columns are apart. */
function printed(facts: FunctionFact[]): string[] {
  const lines: string[] = []
  const logger = { info: (line: string) => void lines.push(line.trim().replaceAll(/ {2,}/g, ' ')) }
  printRoutes(logger, createRouteTable(facts), '/_flash', 'local')
  return lines
}

test('routes have their method and path, web apps answer all that is below them', () => {
  const site = fact('site', { kind: 'web', prefix: 'site' })
  const lines = printed([route('POST', '/resize/:w'), route('GET', '/'), route('WS', '/live'), site])
  expect(lines.slice(1).sort()).toEqual([
    'ANY /_flash/site/* site src/images.ts:3 web local',
    'GET /_flash/images api src/images.ts:3 route local',
    'POST /_flash/images/resize/:w api src/images.ts:3 route local',
    'WS /_flash/images/live api src/images.ts:3 socket local',
  ])
})

test('functions come first, and a web app says what it does not get', () => {
  const run = fact('run', {
    prefix: 'site/run',
    callables: [{ name: 'run', kind: 'function', params: [] }],
  })
  const lines = printed([run, fact('site', { kind: 'web', prefix: 'site' })])
  expect(lines).toEqual([
    'method path function source kind target',
    'POST /_flash/site/run/run/run_sync run src/images.ts:3 function local',
    'ANY /_flash/site/* site src/images.ts:3 web local',
    '/_flash/site/* does not get POST /_flash/site/run/run_sync',
    '/_flash/site/* does not get POST /_flash/site/run/run/run_sync',
  ])
})

test('a project without any says so', () => {
  expect(printed([])).toEqual(['flash no remote functions found yet'])
})
