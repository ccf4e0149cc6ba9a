import type { Node } from 'oxc-parser'
import { itemTypes, promiseTypes, rawTypes, unknownSchema } from './known-schemas.ts'
import { allowsNothing } from './members.ts'
import { readType, type Step } from './step.ts'
import type { CallableSignature, JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'

type Result = Pick<CallableSignature, 'result' | 'answers' | 'instead'>

/** What a function gives in the end: what its promise is awaited to, or each of the items. */
export async function readResult(
  step: Step,
  { returnType, generator }: { returnType?: { typeAnnotation: Node } | null; generator?: boolean },
): Promise<Result> {
  if (!returnType) return { result: unknownSchema(), answers: generator ? 'items' : 'value' }
  const { name, node, inner } = unwrap(step, returnType.typeAnnotation)
  if (node.type === 'TSUnionType') return readChoices(step, node.types)
  if (name === null) return { result: await readType(step, node), answers: generator ? 'items' : 'value' }
  if (itemTypes.has(name))
    return { result: inner ? await readType(step, inner) : unknownSchema(), answers: 'items' }
  return { result: await readType(step, node), answers: rawTypes.has(name) ? 'raw' : 'value' }
}

/** Answers that a route makes itself; no value of any function. */
const ownAnswers = new Set<string | null>(['Response', 'ReadableStream'])

async function readChoices(step: Step, types: Node[]): Promise<Result> {
  const given = types.filter((type) => !allowsNothing(type)).map((type) => unwrap(step, type))
  const isRaw = given.length > 0 && given.every(({ name }) => name !== null && rawTypes.has(name))
  const values = given.filter(({ name }) => isRaw || !ownAnswers.has(name))
  const schemas: JsonSchema[] = []
  for (const { node } of values) schemas.push(await readType(step, node))
  const instead: Result['instead'] = [
    ...(types.some(allowsNothing) ? (['nothing'] as const) : []),
    ...(values.length < given.length ? (['raw'] as const) : []),
  ]
  const result = schemas.length > 0 ? toUnion(schemas) : { type: 'null' }
  return { result, answers: isRaw ? 'raw' : 'value', ...(instead.length > 0 && { instead }) }
}

interface Unwrapped {
  /** Of a type of the language; `null` for all others. */
  name: string | null
  node: Node
  /** Its first type argument. */
  inner: Node | null
}

function unwrap(step: Step, node: Node): Unwrapped {
  if (node.type === 'TSParenthesizedType') return unwrap(step, node.typeAnnotation)
  if (node.type !== 'TSTypeReference' || node.typeName.type !== 'Identifier')
    return { name: null, node, inner: null }
  const { name } = node.typeName
  const inner = node.typeArguments?.params[0] ?? null
  if (promiseTypes.has(name) && inner) return unwrap(step, inner)
  return { name: isOwn(step, name) ? null : name, node, inner }
}

/** Whether the module has another type of that name. */
function isOwn({ module, params }: Step, name: string): boolean {
  return params.has(name) || module.bindings.has(name)
}
