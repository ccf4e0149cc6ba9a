import type { Node } from 'oxc-parser'
import type { ParsedModule } from '../parse.ts'
import type { CompilerHost } from '../types.ts'
import type { JsonSchema } from './types.ts'

/** A named type on its way into the definitions. */
export interface Definition {
  name: string
  /** `null` while its own text is read. */
  schema: JsonSchema | null
  /** Its own text, or something read meanwhile, refers to it. */
  isReferred: boolean
}

/** What all steps of one signature share. */
export interface Reading {
  host: CompilerHost
  /** By file, place and type arguments. */
  definitions: Map<string, Definition>
}

/** Where a type is read. */
export interface Step {
  reading: Reading
  module: ParsedModule
  /** Type parameters that have a value here. */
  params: ReadonlyMap<string, JsonSchema>
  /** How many named types this is inside of. */
  depth: number
  read(step: Step, node: Node): Promise<JsonSchema>
}

export function readType(step: Step, node: Node): Promise<JsonSchema> {
  return step.read(step, node)
}

const PREFIX = '#/$defs/'

export function referTo(definition: Definition): JsonSchema {
  definition.isReferred = true
  return { $ref: PREFIX + definition.name }
}

/** The schema that a reference leads to; `null` while that is being read. */
export function resolveSchema({ definitions }: Reading, schema: JsonSchema): JsonSchema | null {
  const { $ref } = schema
  if (typeof $ref !== 'string') return schema
  const found = [...definitions.values()].find(({ name }) => PREFIX + name === $ref)
  return found?.schema ?? null
}

export interface ObjectSchema extends JsonSchema {
  type: 'object'
  properties: Record<string, JsonSchema>
  required?: string[]
}

/** An object whose properties are known, through references. */
export function toObject(reading: Reading, schema: JsonSchema): ObjectSchema | null {
  const resolved = resolveSchema(reading, schema)
  return resolved?.type === 'object' && resolved.properties ? (resolved as ObjectSchema) : null
}

/** Texts that a schema allows, when it allows nothing else. */
export function toKeys(reading: Reading, schema: JsonSchema): string[] | null {
  const resolved = resolveSchema(reading, schema) ?? {}
  const values = 'const' in resolved ? [resolved.const] : resolved.enum
  if (!Array.isArray(values) || values.some((value) => !/^(?:string|number)$/.test(typeof value))) return null
  return values.map(String)
}

export function objectSchema(
  properties: [name: string, schema: JsonSchema][],
  required: readonly string[],
  additionalProperties?: JsonSchema,
): JsonSchema {
  const names = required.length > 0 ? { required: [...new Set(required)] } : {}
  const others = additionalProperties ? { additionalProperties } : {}
  // `Object.fromEntries` defines, so no key reaches a prototype.
  return { type: 'object', properties: Object.fromEntries(properties), ...names, ...others }
}
