import { expect, test } from 'vitest'
import { createComponents } from './components.ts'

function take(schema: Record<string, unknown>) {
  const components = createComponents({})
  const taken = components.take(schema, schema, 'mine')
  return { taken, all: components.all() }
}

test('references of any kind become components', () => {
  const schema = {
    $schema: 'x',
    $id: 'https://example.com/a',
    properties: {
      self: { $ref: '#' },
      box: { $ref: '#/$defs/Box%20one~1two' },
      inner: { $ref: '#/properties/box/', description: 'kept' },
      elsewhere: { $ref: 'https://example.com/b' },
      lost: { $ref: '#/$defs/lost' },
      broken: { $ref: '#/$defs/%' },
      deep: { $ref: '#/$defs/Box%20one~1two/items' },
      old: { $ref: '#/definitions/Old' },
    },
    $defs: { 'Box one/two': { items: { $ref: '#/$defs/Box%20one~1two' } } },
    definitions: { Old: true },
  }
  const { taken, all } = take(schema)
  const box = { $ref: '#/components/schemas/Box_20one_1two' }
  expect(taken).toEqual({
    properties: {
      self: { $ref: '#/components/schemas/mine' },
      box,
      inner: { description: 'kept' },
      elsewhere: { description: 'a schema that is not part of this document: https://example.com/b' },
      lost: { description: 'a schema that is not part of this document: #/$defs/lost' },
      broken: { description: 'a schema that is not part of this document: #/$defs/%' },
      deep: { $ref: '#/components/schemas/mine2' },
      old: { $ref: '#/components/schemas/Old' },
    },
  })
  expect(all).toEqual({ mine: taken, mine2: box, Box_20one_1two: { items: box }, Old: {} })
})

test('data that looks like a schema stays as it is', () => {
  const schema = {
    const: { $ref: '#' },
    enum: [{ $ref: '#' }],
    default: { $schema: 1 },
    properties: { $ref: { type: 'string' }, $id: false },
    anyOf: [true, { allOf: 'wrong' }],
    items: [1],
    not: { $ref: '#/$defs/A' },
    $defs: { A: { type: 'null' } },
  }
  expect(take(schema).taken).toEqual({
    const: { $ref: '#' },
    enum: [{ $ref: '#' }],
    default: { $schema: 1 },
    properties: { $id: { not: {} } },
    patternProperties: { '^\\$ref$': { type: 'string' } },
    anyOf: [{}, { allOf: 'wrong' }],
    items: [1],
    not: { $ref: '#/components/schemas/A' },
  })
})

test('what is the same in two documents is one component, what only has the same name is another', () => {
  const components = createComponents({ Job: {} })
  const root = (type: string) => ({
    $ref: '#/$defs/Job',
    $defs: { Job: { items: { $ref: '#/$defs/In' } }, In: { type } },
  })
  const names = ['string', 'string', 'number'].map(
    (type) => components.take(root(type), root(type), 'x').$ref,
  )
  expect(names).toEqual(['Job2', 'Job2', 'Job3'].map((name) => `#/components/schemas/${name}`))
})
