import type { FunctionFact } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import { walk } from 'oxc-walker'
import type { FoundClass } from '../class.ts'
import type { ParsedModule } from '../parse.ts'
import type { CompilerHost, FoundFunction } from '../types.ts'
import { findBody, findMethod, type FoundBody } from './bodies.ts'
import { findDescription } from './comment.ts'
import { unknownSchema } from './known-schemas.ts'
import { bindParams } from './named.ts'
import { readParamSignatures } from './params.ts'
import { readResult } from './result.ts'
import { readSchema } from './schema.ts'
import type { Reading, Step } from './step.ts'
import type { CallableSignature, JsonSchema, Signature } from './types.ts'

/** What the text of a function, class or handler tells about its values. */
export async function readSignature(
  host: CompilerHost,
  module: ParsedModule,
  found: FoundFunction,
  fact: Pick<FunctionFact, 'kind' | 'callables'>,
): Promise<Signature> {
  const reading: Reading = { host, definitions: new Map() }
  const body = fact.kind === 'web' ? null : await findBody(host, module, found)
  const above = findDescription(module, placeOf(module, found.call))
  const names = fact.kind === 'route' ? ['handler'] : fact.callables.map(({ name }) => name)
  const callables: CallableSignature[] = []
  for (const name of names) callables.push(await readCallable(reading, name, body, above))
  return {
    callables,
    constructorParams: body && isClass(body) ? await readConstructor(reading, body) : null,
    definitions: Object.fromEntries(referred(reading)),
  }
}

function referred({ definitions }: Reading): [string, JsonSchema][] {
  return [...definitions.values()].flatMap(({ name, schema, isReferred }): [string, JsonSchema][] =>
    isReferred ? [[name, schema ?? unknownSchema()]] : [],
  )
}

async function readCallable(
  reading: Reading,
  name: string,
  body: FoundBody | FoundClass | null,
  above: string | null,
): Promise<CallableSignature> {
  const found = body && (isClass(body) ? await findMethod(reading.host, body, name) : body)
  if (!found) return { name, description: above, params: [], result: unknownSchema(), answers: 'value' }
  const { module, node } = found
  const own = findDescription(module, found.owner ? startOfMember(found.owner, node) : startOf(module, node))
  const step = await stepInto(reading, found)
  const params = await readParamSignatures(step, node.params)
  return { name, description: own ?? above, params, ...(await readResult(step, node)) }
}

async function readConstructor(reading: Reading, body: FoundClass): Promise<Signature['constructorParams']> {
  const found = await findMethod(reading.host, body, 'constructor')
  return found ? readParamSignatures(await stepInto(reading, found), found.node.params) : null
}

/** Inside of a function, where its type parameters and those of its class hide other names. */
async function stepInto(reading: Reading, { module, node, owner }: FoundBody): Promise<Step> {
  const step: Step = { reading, module, params: new Map(), depth: 0, read: readSchema }
  const params = [...(owner?.typeParameters?.params ?? []), ...(node.typeParameters?.params ?? [])]
  return { ...step, params: await bindParams(step, params) }
}

function isClass(body: FoundBody | FoundClass): body is FoundClass {
  return body.node.type === 'ClassExpression' || body.node.type === 'ClassDeclaration'
}

/** Where the comment of a call ends: at its property in an object, else at its statement. */
function placeOf(module: ParsedModule, call: Node): number {
  const statement = module.program.body.find(({ start, end }) => start <= call.start && call.end <= end)
  let place = statement?.start ?? call.start
  if (!statement) return place
  walk(statement, {
    enter(node) {
      if (node.end < call.end || node.start > call.start) this.skip()
      else if (node.type === 'Property') place = node.start
    },
  })
  return place
}

/** A named function may have a comment where it is declared. */
function startOf({ program }: ParsedModule, node: Node): number {
  const statement = program.body.find(({ start, end }) => start <= node.start && node.end <= end)
  const declared = statement?.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  return declared === node ? statement!.start : node.start
}

function startOfMember({ body }: NonNullable<FoundBody['owner']>, node: Node): number {
  return body.body.find((member) => 'value' in member && member.value === node)!.start
}
