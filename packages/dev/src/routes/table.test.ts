import type { FunctionFact } from '@flash/protocol'
import { expect, test } from 'vitest'
import { createRouteTable } from './table.ts'

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
