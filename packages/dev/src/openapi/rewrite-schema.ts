import type { JsonSchema } from '@flash/compiler'

/** Keywords by what they hold; all others hold data. */
const lists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const maps = new Set(['properties', 'patternProperties', 'dependentSchemas'])
const singles = new Set([
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
])

/** What belongs to a schema as a document of its own. */
const dropped = new Set([
  '$anchor',
  '$defs',
  '$dynamicAnchor',
  '$dynamicRef',
  '$id',
  '$schema',
  '$vocabulary',
  'definitions',
])

type Refer = (reference: string) => JsonSchema

/** A schema with its references replaced, as a part of another document. */
export function rewriteSchema(schema: unknown, refer: Refer): JsonSchema {
  if (!isRecord(schema)) return schema === false ? { not: {} } : {}
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    if (key === '$ref') return Object.entries(refer(String(value)))
    return dropped.has(key) ? [] : [[key, rewriteKeyword(key, value, refer)]]
  })
  // `Object.fromEntries` defines, so no key reaches a prototype.
  return hideReference(Object.fromEntries(entries))
}

/** A property that is called `$ref`, said so that no reader takes it for a reference. */
export function hideReference(schema: JsonSchema): JsonSchema {
  const { properties, patternProperties } = schema
  if (!isRecord(properties) || !Object.hasOwn(properties, '$ref')) return schema
  const { $ref, ...others } = properties
  return {
    ...schema,
    properties: others,
    patternProperties: { ...(patternProperties as object), '^\\$ref$': $ref },
  }
}

function rewriteKeyword(key: string, value: unknown, refer: Refer): unknown {
  if (lists.has(key) && Array.isArray(value)) return value.map((one) => rewriteSchema(one, refer))
  if (maps.has(key) && isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, rewriteSchema(one, refer)]))
  return singles.has(key) && isRecord(value) ? rewriteSchema(value, refer) : value
}

/** What a JSON pointer in a fragment leads to: `#/$defs/Box`; `undefined` when it leads nowhere. */
export function followPointer(root: JsonSchema, pointer: string): unknown {
  if (pointer === '#') return root
  if (!pointer.startsWith('#/')) return undefined
  let found: unknown = root
  for (const part of pointer.slice(2).split('/')) {
    const key = decode(part).replaceAll('~1', '/').replaceAll('~0', '~')
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, key)
        ? Reflect.get(found, key)
        : undefined
  }
  return found
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
