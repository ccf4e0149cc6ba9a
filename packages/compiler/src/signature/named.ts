import type { Node, TSTypeName } from 'oxc-parser'
import { findType, findExportedType, type FoundType, type TypeTarget } from './find-type.ts'
import { findDescription } from './comment.ts'
import { define } from './define.ts'
import { inferSchema, toLiteral } from './infer.ts'
import { platformTypes, unknownSchema } from './known-schemas.ts'
import { readMembers } from './members.ts'
import { toIntersection } from './shapes.ts'
import { readType, type Step } from './step.ts'
import type { JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'
import { utilityTypes } from './utilities.ts'

/** What a name means, with its type arguments. */
async function readNamed(step: Step, name: string, given: Node[]): Promise<JsonSchema> {
  const param = step.params.get(name)
  if (param) return param
  const target = await findType(step.reading.host, step.module, name)
  if (target) return readTarget(step, target, name, given)
  const utility = utilityTypes.get(name)
  if (utility) return utility(step, given)
  return platformTypes.get(name)?.() ?? unknownSchema()
}

/** `shapes.Box`, where `shapes` is all of another module. */
export async function readQualified(step: Step, name: TSTypeName, given: Node[]): Promise<JsonSchema> {
  if (name.type === 'Identifier') return readNamed(step, name.name, given)
  if (name.type !== 'TSQualifiedName' || name.left.type !== 'Identifier') return unknownSchema()
  const binding = step.module.bindings.get(name.left.name)
  if (binding?.kind !== 'import' || binding.imported !== '*') return unknownSchema()
  return readImported(step, binding.source, name.right.name, given)
}

export async function readImported(
  step: Step,
  source: string,
  name: string,
  given: Node[],
): Promise<JsonSchema> {
  const target = await findExportedType(step.reading.host, step.module, source, name)
  return target ? readTarget(step, target, name, given) : unknownSchema()
}

async function readTarget(
  step: Step,
  target: NonNullable<TypeTarget>,
  name: string,
  given: Node[],
): Promise<JsonSchema> {
  if ('outside' in target) return unknownSchema(`${name} of ${JSON.stringify(target.outside)}`)
  const values: JsonSchema[] = []
  for (const argument of given) values.push(await readType(step, argument))
  const key = `${target.module.file}\0${target.declarations[0]!.start}\0${JSON.stringify(values)}`
  const inside = { ...step, module: target.module, depth: step.depth + 1 }
  return define(step, key, name, () => readDeclarations(inside, target, values))
}

async function readDeclarations(
  step: Step,
  { declarations }: FoundType,
  values: JsonSchema[],
): Promise<JsonSchema> {
  const parts: JsonSchema[] = []
  for (const declaration of declarations) {
    const params = 'typeParameters' in declaration ? (declaration.typeParameters?.params ?? []) : []
    const scope: Step = { ...step, params: await bindParams(step, params, values) }
    parts.push(await readDeclaration(scope, declaration))
  }
  const [first] = parts
  const schema = parts.length === 1 ? first! : toIntersection(step, parts)
  const description = findDescription(step.module, statementStart(step, declarations[0]!))
  return description && !schema.$ref ? { ...schema, description } : schema
}

function statementStart({ module }: Step, node: Node): number {
  return module.program.body.find(({ start, end }) => start <= node.start && node.end <= end)!.start
}

type TypeParams = { name: { name: string }; constraint?: Node | null; default?: Node | null }[]

/** Type parameters with what is given for them, else with their default; what only a caller knows has its constraint. */
export async function bindParams(
  step: Step,
  params: TypeParams,
  values: readonly JsonSchema[] = [],
): Promise<Map<string, JsonSchema>> {
  const bound = new Map<string, JsonSchema>()
  // Constraints may name parameters, their own one included.
  for (const { name } of params) bound.set(name.name, unknownSchema())
  for (const [index, { name, constraint, default: fallback }] of params.entries()) {
    const instead = fallback ?? constraint
    const value = values[index] ?? (instead ? await readType({ ...step, params: bound }, instead) : null)
    if (value) bound.set(name.name, value)
  }
  return bound
}

async function readDeclaration(step: Step, node: FoundType['declarations'][number]): Promise<JsonSchema> {
  switch (node.type) {
    case 'TSTypeAliasDeclaration':
      return readType(step, node.typeAnnotation)
    case 'TSEnumDeclaration':
      return readEnum(node)
    case 'TSInterfaceDeclaration': {
      const parents: JsonSchema[] = []
      for (const { expression, typeArguments } of node.extends)
        parents.push(await readParent(step, expression, typeArguments?.params ?? []))
      const own = await readMembers(step, node.body.body)
      return parents.length > 0 ? toIntersection(step, [...parents, own]) : own
    }
    default:
      return unknownSchema(`an instance of the class ${node.id?.name}, which does not travel`)
  }
}

function readParent(step: Step, expression: Node, given: Node[]): Promise<JsonSchema> | JsonSchema {
  return expression.type === 'Identifier' ? readNamed(step, expression.name, given) : unknownSchema()
}

function readEnum({
  body,
}: Extract<FoundType['declarations'][number], { type: 'TSEnumDeclaration' }>): JsonSchema {
  const values: unknown[] = []
  let next: number | null = 0
  for (const { initializer } of body.members) {
    const literal: [unknown] | null = initializer ? toLiteral(initializer) : next === null ? null : [next]
    if (!literal) return unknownSchema('a value of an enum that is computed')
    const [value]: [unknown] = literal
    values.push(value)
    next = typeof value === 'number' ? value + 1 : null
  }
  return toUnion(values.map((value) => ({ const: value })))
}

/** `typeof modes`, where `modes` is a constant of this module. */
export function readTypeof({ module }: Step, name: Node): JsonSchema {
  const binding = name.type === 'Identifier' ? module.bindings.get(name.name) : undefined
  return binding?.kind === 'const' && binding.init ? inferSchema(binding.init) : unknownSchema()
}
