import type { JsonSchema, ParamSignature } from '@flash/compiler'
import { type CallableFact, type FunctionFact, inputShape, type ParamFact } from '@flash/protocol'
import { hideReference } from './rewrite-schema.ts'
import type { Values } from './values.ts'

const unknown: JsonSchema = { description: 'the source does not tell its type' }

/** The schema of `input` in a job of a function: its parameters by name. */
export function toInput(fact: FunctionFact, callable: CallableFact, values: Values): JsonSchema {
  const told = values.told('input')
  if (told) return told
  const shape = inputShape(fact)
  const { params } = shape.callables.find(({ name }) => name === callable.name)!
  const known = values.callable(callable.name)?.params ?? []
  if (shape.takesObject || isOnePattern(params)) return toObject(known[0] && values.ofSource(known[0].schema))
  const made = fact.kind === 'class' ? toConstruct(fact, values) : null
  if (!params) return objectOf([['args', { type: 'array', items: unknown }, true]], made)
  return objectOf(toProperties(params, known, values), made)
}

function isOnePattern(params: readonly ParamFact[] | null): boolean {
  return params?.length === 1 && params[0]!.kind === 'pattern'
}

type Property = [name: string, schema: JsonSchema, required: boolean]

/** What a class is made with travels beside the arguments of its method. */
function toConstruct({ constructorParams }: FunctionFact, values: Values): Property | null {
  if (constructorParams?.length === 0) return null
  const known = values.signature?.constructorParams ?? []
  const items = (constructorParams ?? []).map(({ name }) => schemaOf(name, known, values))
  const minItems = (constructorParams ?? []).findLastIndex(isRequired) + 1
  const list = items.length > 0 ? { prefixItems: items } : {}
  const header: JsonSchema = {
    type: 'object',
    properties: {
      v: { const: 1 },
      new: { type: 'array', ...list, minItems, description: 'what the class is made with' },
    },
    required: ['v', ...(minItems > 0 ? ['new'] : [])],
  }
  return ['flash:call', header, minItems > 0]
}

function toProperties(
  params: readonly ParamFact[],
  known: readonly ParamSignature[],
  values: Values,
): Property[] {
  return params.map((param) => [param.name, schemaOf(param.name, known, values), isRequired(param)])
}

function isRequired({ kind, optional }: ParamFact): boolean {
  return kind !== 'rest' && !optional
}

function schemaOf(name: string, known: readonly ParamSignature[], values: Values): JsonSchema {
  const found = known.find((param) => param.name === name)
  return found ? values.ofSource(found.schema) : unknown
}

function objectOf(properties: Property[], more: Property | null): JsonSchema {
  const all = more ? [...properties, more] : properties
  const required = all.filter(([, , isRequired]) => isRequired).map(([name]) => name)
  return hideReference({
    type: 'object',
    properties: Object.fromEntries(all.map(([name, schema]) => [name, schema])),
    ...(required.length > 0 && { required }),
  })
}

/** An input is an object, whatever its type is called. */
function toObject(schema: JsonSchema | undefined): JsonSchema {
  if (!schema) return { type: 'object' }
  const isOpen = Object.keys(schema).every((key) => key === 'description')
  return isOpen ? { type: 'object', ...schema } : schema
}
