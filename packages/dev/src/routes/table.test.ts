import type { FunctionFact } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { createRouteTable } from './table.ts'
import { routeFact, webFact } from './testing.ts'

function fact(prefix: string, exportPath: string, methods?: string[]): FunctionFact {
  const callable = (name: string) => ({ name, kind: 'function' as const, params: [] })
  return {
    id: `${prefix}#${exportPath}`,
    prefix,
    exportPath,
    kind: methods ? 'class' : 'function',
    callables: (methods ?? [exportPath]).map(callable),
    at: { file: `src/${prefix}.ts`, line: 3, column: 1 },
  } as unknown as FunctionFact
}

const paths = (...facts: FunctionFact[]) => createRouteTable(facts).routes.map(({ path }) => path)

test('a function alone in its file has a long and a short address', () => {
  expect(paths(fact('receipt', 'read'))).toEqual(['receipt', 'receipt/read'])
})

test('a second function in the file leaves only the long ones, and the first keeps its own', () => {
  expect(paths(fact('a/b', 'one'), fact('a/b', 'two'))).toEqual(['a/b/one', 'a/b/two'])
})

test('methods of a class', () => {
  expect(paths(fact('model', 'Model', ['load', 'run']))).toEqual([
    'model/Model/load',
    'model/Model/run',
    'model/load',
    'model/run',
  ])
})

test('an address finds its function and method', () => {
  const table = createRouteTable([fact('model', 'Model', ['load', 'run'])])
  expect(table.find('model/Model/run')?.callable.name).toBe('run')
  expect(table.find('model/run')?.callable.name).toBe('run')
  for (const none of ['', 'model', 'constructor', '__proto__', 'model/Model', 'model/Model/run/x'])
    expect(table.find(none)).toBeUndefined()
})

test('two functions at one address are an error naming both', () => {
  const { problems } = createRouteTable([fact('a', 'b'), fact('a/b', 'default')])
  expect(problems).toMatchObject([
    { code: 'DUPLICATE_ROUTE', message: expect.stringMatching(/src\/a\.ts:3 and src\/a\/b\.ts:3/) },
  ])
  expect(
    createRouteTable([fact('a', 'b'), fact('a', 'c'), fact('a/b', 'one'), fact('a/b', 'two')]).problems,
  ).toEqual([])
})

for (const first of ['rpc', 'docs', 'console', 'openapi.json', 'ping']) {
  test(`an address does not begin with "${first}"`, () => {
    const { problems, routes } = createRouteTable([fact(first, 'x')])
    expect(routes).toEqual([])
    expect(problems[0]).toMatchObject({ code: 'RESERVED_PATH', at: { line: 3 } })
  })
}

describe('load-balanced endpoints', () => {
  const listed = (...facts: FunctionFact[]) => {
    const { balanced, problems } = createRouteTable(facts)
    expect(problems).toEqual([])
    return balanced.map(({ method, path }) => `${method} ${path}`)
  }

  test('alone in its file an endpoint has the file as its base', () => {
    expect(
      listed(
        routeFact('img/äpi', 'POST', '/resize/:width'),
        routeFact('img/äpi', 'GET', '/'),
        routeFact('img/äpi', 'GET', '/files/**:path'),
        webFact('site'),
      ),
    ).toEqual([
      'POST img/%C3%A4pi/resize/:width',
      'GET img/%C3%A4pi/files/**:path',
      'GET img/%C3%A4pi',
      'ANY site/*',
    ])
  })

  test('beside others in its file it has its own name there', () => {
    expect(
      listed(
        routeFact('api', 'GET', '/x', 'one'),
        routeFact('api', 'GET', '/x', 'deep.two'),
        webFact('api', 'three'),
        webFact('mixed'),
        fact('mixed', 'read'),
      ),
    ).toEqual(
      expect.arrayContaining(['GET api/one/x', 'GET api/deep.two/x', 'ANY api/three/*', 'ANY mixed/site/*']),
    )
    expect(createRouteTable([webFact('mixed'), fact('mixed', 'read')]).routes).toHaveLength(1)
  })

  test('what says more comes first, and web apps last', () => {
    expect(
      listed(
        webFact('a'),
        webFact('a/b'),
        routeFact('a/b/c', 'GET', '/:id'),
        routeFact('a/b/c', 'GET', '/new'),
        routeFact('a/b/c', 'GET', '/**'),
      ),
    ).toEqual(['GET a/b/c/new', 'GET a/b/c/:id', 'GET a/b/c/**', 'ANY a/b/*', 'ANY a/*'])
  })

  test('a web app is marked with what others answer below it', () => {
    const { balanced } = createRouteTable([
      webFact('a'),
      webFact('a/b'),
      routeFact('a/b/c', 'GET', '/:id'),
      fact('a/x', 'read'),
      fact('ab', 'read'),
    ])
    expect(balanced.map(({ path, shadowed }) => [path, shadowed])).toEqual([
      ['a/b/c/:id', []],
      ['a/b/*', ['GET a/b/c/:id']],
      ['a/*', ['POST a/x/run_sync', 'POST a/x/read/run_sync', 'GET a/b/c/:id', 'ANY a/b/*']],
    ])
  })

  for (const [what, one, other] of [
    ['two routes', routeFact('a', 'GET', '/b/:x'), routeFact('a/b', 'GET', '/:y')],
    ['a route and a function', fact('a/b', 'read'), routeFact('a', 'POST', '/b/read/run')],
    ['a route and the job of a function', fact('a/b', 'read'), routeFact('a', 'GET', '/b/read/status/:x')],
    ['two web apps', webFact('a/b'), { ...webFact('a/b'), id: 'again' }],
  ] as const) {
    test(`${what} at one address are an error naming both`, () => {
      const { problems, balanced } = createRouteTable([one, other])
      const place = ({ at }: FunctionFact) => `${at.file}:${at.line}`
      expect(problems).toMatchObject([{ code: 'DUPLICATE_ROUTE' }])
      expect(problems[0]!.message).toContain(place(one))
      expect(problems[0]!.message).toContain(place(other))
      expect(balanced.length).toBe(one.kind === 'function' ? 0 : 1)
    })
  }

  test('another method or another path is another address', () => {
    expect(
      listed(routeFact('a', 'GET', '/b'), routeFact('a/b', 'POST', '/'), routeFact('a/b', 'WS', '/')),
    ).toHaveLength(3)
  })

  test('an address does not begin with a name of the server', () => {
    const { problems, balanced } = createRouteTable([webFact('rpc'), routeFact('docs', 'GET', '/x')])
    expect(balanced).toEqual([])
    expect(problems.map(({ code }) => code)).toEqual(['RESERVED_PATH', 'RESERVED_PATH'])
  })

  test('a path that no route can have is told', () => {
    const { problems, balanced } = createRouteTable([routeFact('a', 'GET', '/x?')])
    expect(balanced).toEqual([])
    expect(problems).toMatchObject([{ code: 'BAD_ROUTE' }])
  })
})
