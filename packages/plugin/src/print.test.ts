import { createRouteTable } from '@flash/dev'
import type { FunctionFact } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Logger } from 'vite'
import { printError } from './host-error.ts'
import { createOutput, printRoutes } from './print.ts'

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

function route(method: 'GET' | 'POST' | 'WS', path: string, name?: string): FunctionFact {
  return fact(`api.${method} ${path}`, { kind: 'route', name, route: { method, path, schemas: [] } })
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
  const lines = printed([
    route('POST', '/resize/:w', 'resize'),
    route('GET', '/'),
    route('WS', '/live', 'chat.live'),
    site,
  ])
  expect(lines.slice(1).sort()).toEqual([
    'ANY /_flash/site/* site src/images.ts:3 web local',
    'GET /_flash/images api src/images.ts:3 route local',
    'POST /_flash/images/resize/:w resize src/images.ts:3 route local',
    'WS /_flash/images/live chat.live src/images.ts:3 socket local',
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

test('routes of the server of the app say where they run', () => {
  const me = route('GET', '/me', 'me')
  const lines = printed([{ ...me, route: { ...me.route!, local: true } }])
  expect(lines).toContain('GET /_flash/images/me me src/images.ts:3 route the app')
})

describe('colours', () => {
  afterEach(() => vi.unstubAllEnvs())
  const red = '\u001B[31m[PARSE_ERROR] \u001B[0mUnexpected token'
  /** What a stream shows that is a terminal, or none. */
  function shown(terminal: object): string[] {
    const streams = [process.stdout, process.stderr]
    const spies = streams.flatMap((stream) =>
      Object.entries({ isTTY: true, hasColors: () => true, ...terminal }).map(([name, value]) => {
        const before = Object.getOwnPropertyDescriptor(stream, name)
        Object.defineProperty(stream, name, { value, configurable: true })
        return () =>
          before ? Object.defineProperty(stream, name, before) : Reflect.deleteProperty(stream, name)
      }),
    )
    try {
      const lines: string[] = []
      const logger = { warn: (line: string) => lines.push(line), info: (line: string) => lines.push(line) }
      const output = createOutput(logger as unknown as Logger)
      output('shop', 'stderr', `${red}\n`)
      output('shop', 'stdout', `${red}\n`)
      return [...lines, printError(Object.assign(new Error(red), { stack: red }))]
    } finally {
      for (const restore of spies) restore()
    }
  }
  const plain = '[PARSE_ERROR] Unexpected token'

  test('of bundlers and workers are shown by a terminal', () => {
    vi.stubEnv('FORCE_COLOR', undefined)
    expect(shown({})).toEqual([`shop | ${red}`, `shop | ${red}`, red])
  })

  for (const [what, terminal, forced] of [
    ['no terminal', { isTTY: false, hasColors: undefined }, undefined],
    ['NO_COLOR', { hasColors: () => false }, undefined],
    ['FORCE_COLOR=0', { isTTY: false, hasColors: undefined }, '0'],
  ] as const)
    test(`are left out: ${what}`, () => {
      vi.stubEnv('FORCE_COLOR', forced)
      expect(shown(terminal)).toEqual([`shop | ${plain}`, `shop | ${plain}`, plain])
    })

  test('are shown where FORCE_COLOR wants them', () => {
    vi.stubEnv('FORCE_COLOR', '1')
    vi.stubEnv('NO_COLOR', undefined)
    expect(shown({ isTTY: false, hasColors: undefined })).toEqual([`shop | ${red}`, `shop | ${red}`, red])
  })
})
