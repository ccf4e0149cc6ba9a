import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareRoutePaths, fillRoutePath, matchRoutePath, parseRoutePath } from './route-path.ts'

const match = (route: string, path: string) => matchRoutePath(parseRoutePath(route), path)

describe('a request is of a route', () => {
  for (const [route, path, params] of [
    ['/', '/', {}],
    ['/items', '/items', {}],
    ['/items/:id', '/items/7', { id: '7' }],
    ['/items/:id', '/items/a%2Fb', { id: 'a/b' }],
    ['/items/:id/size/:size', '/items/7/size/big', { id: '7', size: 'big' }],
    ['/größe', '/gr%C3%B6%C3%9Fe', {}],
    ['/files/**:path', '/files/a/b%20c', { path: 'a/b c' }],
    ['/files/**:path', '/files', { path: '' }],
    ['/**', '/anything/at/all', {}],
  ] as const)
    test(`${route} ${path}`, () => expect(match(route, path)).toEqual(params))
})

describe('a request is of no route', () => {
  for (const [route, path] of [
    ['/', '/items'],
    ['/items', '/'],
    ['/items', '/items/'],
    ['/items', '/Items'],
    ['/items/:id', '/items'],
    ['/items/:id', '/items/'],
    ['/items/:id', '/items/7/more'],
    ['/items/:id', '/items/%zz'],
    ['/files/**:path', '/files/%zz'],
  ] as const)
    test(`${route} ${path}`, () => expect(match(route, path)).toBeNull())
})

describe('no route has the path', () => {
  for (const path of [
    '',
    'items',
    '/items/',
    '//items',
    '/a/../b',
    '/a/./b',
    '/:id/:id',
    '/:id?',
    '/:',
    '/a*',
    '/**/a',
    '/(a)',
    '/a%20b',
    '/a\\b',
    '/a?b',
    '/a#b',
    '/:1a',
    '/:__proto__',
  ])
    test(JSON.stringify(path), () =>
      expect(() => parseRoutePath(path)).toThrow(expect.objectContaining({ code: 'BAD_ROUTE' })),
    )
})

test('what is filled in comes out again, or is refused when it could lead elsewhere', () => {
  const route = parseRoutePath('/items/:id/files/**:path')
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  const couldLead = /[\\%\p{Cc}]|(?:^|\/)\.{1,2}(?:$|\/)/u
  const outcome = (params: Record<string, string>) => {
    try {
      return matchRoutePath(route, fillRoutePath(route, params))
    } catch (error) {
      return (error as { code: unknown }).code
    }
  }
  fc.assert(
    fc.property(text, fc.array(text), (id, parts) => {
      const params = { id, path: parts.join('/') }
      const allowed = couldLead.test(`${id}/${params.path}`) ? [params, 'BAD_INPUT'] : [params]
      expect(outcome(params)).toBeOneOf(allowed)
    }),
    { numRuns: 1_000 },
  )
})

test('a parameter that is missing or empty is named', () => {
  const route = parseRoutePath('/items/:id')
  for (const params of [undefined, {}, { id: '' }, { id: null }])
    expect(() => fillRoutePath(route, params)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', data: { field: 'params.id' } }),
    )
  expect(fillRoutePath(route, { id: 7 })).toBe('/items/7')
  expect(fillRoutePath(parseRoutePath('/'))).toBe('/')
})

describe('a parameter that would make it the path of another route is named', () => {
  for (const [route, field, value] of [
    ['/users/:id/secret', 'params.id', '..'],
    ['/users/:id', 'params.id', '.'],
    ['/files/**:path', 'params.path', '../secret'],
    ['/files/**:path', 'params.path', 'a/./b'],
    ['/users/:id', 'params.id', '\ud800'],
    ['/users/:id', 'params.id', '../x'],
    ['/users/:id', 'params.id', '%2e%2e'],
    ['/users/:id', 'params.id', 'a\\b'],
    ['/files/**:path', 'params.path', 'a/\0'],
  ] as const)
    test(`${route} with ${JSON.stringify(value)}`, () => {
      const params = { [field.slice('params.'.length)]: value }
      expect(() => fillRoutePath(parseRoutePath(route), params)).toThrow(
        expect.objectContaining({ code: 'BAD_INPUT', data: { field } }),
      )
    })

  test('dots beside other text are text', () => {
    const route = parseRoutePath('/files/:id/**:path')
    expect(fillRoutePath(route, { id: '...', path: 'a/..b/.c' })).toBe('/files/.../a/..b/.c')
  })
})

test('the path that says more comes first', () => {
  const paths = ['/**', '/:id', '/items/**', '/items/:id', '/items/new', '/items/:id/more']
  const sorted = paths
    .map((path) => ({ path, segments: parseRoutePath(path) }))
    .sort((a, b) => compareRoutePaths(a.segments, b.segments))
    .map(({ path }) => path)
  expect(sorted.indexOf('/items/new')).toBeLessThan(sorted.indexOf('/items/:id'))
  expect(sorted.indexOf('/items/:id')).toBeLessThan(sorted.indexOf('/items/**'))
  expect(sorted.indexOf('/items/**')).toBeLessThan(sorted.indexOf('/:id'))
  expect(sorted.at(-1)).toBe('/**')
})
