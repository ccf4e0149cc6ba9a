import { readFileSync } from 'node:fs'

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  minimum?: number
  maximum?: number
  minItems?: number
  minLength?: number
  pattern?: string
  format?: string
}

/** Schemas of Runpod's published REST v2, by name, without their texts. */
const schemas = JSON.parse(
  readFileSync(new URL('./rest-v2.schemas.json', import.meta.url), 'utf8'),
) as Record<string, Schema>

/** Where a value is not what the schema of that name says: `endpoints[0].workers.min: type`. */
export function findSchemaIssues(name: string, value: unknown): string[] {
  return check({ $ref: name }, value, '')
}

function check(schema: Schema, value: unknown, path: string): string[] {
  if (schema.$ref) return check(schemas[schema.$ref]!, value, path)
  return [
    ...checkType(schema, value, path),
    ...checkValue(schema, value, path),
    ...checkMembers(schema, value, path),
    ...checkCombined(schema, value, path),
  ]
}

function checkType({ type }: Schema, value: unknown, path: string): string[] {
  if (type === undefined) return []
  const isOf = (one: string) =>
    one === 'null'
      ? value === null
      : one === 'array'
        ? Array.isArray(value)
        : one === 'integer'
          ? Number.isInteger(value)
          : one === 'object'
            ? typeof value === 'object' && value !== null && !Array.isArray(value)
            : typeof value === one
  return [type].flat().some(isOf) ? [] : [`${path}: is ${JSON.stringify(value)}, not of type ${type}`]
}

function checkValue(schema: Schema, value: unknown, path: string): string[] {
  const issues: string[] = []
  const say = (isRight: boolean, rule: string) => void (isRight || issues.push(`${path}: ${rule}`))
  if (schema.enum) say(schema.enum.includes(value), `is not one of ${schema.enum}`)
  if (typeof value === 'number') {
    say(value >= (schema.minimum ?? -Infinity), 'minimum')
    say(value <= (schema.maximum ?? Infinity), 'maximum')
  }
  if (typeof value === 'string') {
    say(value.length >= (schema.minLength ?? 0), 'minLength')
    if (schema.pattern) say(new RegExp(schema.pattern).test(value), 'pattern')
    if (schema.format === 'date-time') say(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value), 'format')
    if (schema.format === 'uri') say(/^https?:\/\/\S+$/.test(value), 'format')
  }
  return issues
}

function checkMembers(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const few = value.length < (schema.minItems ?? 0) ? [`${path}: minItems`] : []
    return [
      ...few,
      ...value.flatMap((one, at) => (schema.items ? check(schema.items, one, `${path}[${at}]`) : [])),
    ]
  }
  if (typeof value !== 'object' || value === null) return []
  const { properties = {}, required = [], additionalProperties = true } = schema
  const missing = required.filter((name) => !(name in value)).map((name) => `${path}.${name}: is missing`)
  const wrong = Object.entries(value).flatMap(([name, entry]) => {
    const inner = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : null)
    if (inner) return check(inner, entry, `${path}.${name}`)
    return additionalProperties === false ? [`${path}.${name}: is not in the schema`] : []
  })
  return [...missing, ...wrong]
}

function checkCombined({ allOf = [], anyOf, oneOf }: Schema, value: unknown, path: string): string[] {
  const all = allOf.flatMap((schema) => check(schema, value, path))
  const some = [anyOf, oneOf].flatMap((schemas) => {
    if (!schemas) return []
    const found = schemas.map((schema) => check(schema, value, path))
    return found.some((issues) => issues.length === 0)
      ? []
      : [`${path}: fits none of its schemas: ${found.flat()}`]
  })
  return [...all, ...some]
}
