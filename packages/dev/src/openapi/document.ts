import type { JsonSchema, Signature, ToldSchemas } from '@flash/compiler'
import { type FunctionFact, isBalanced } from '@flash/protocol'
import type { RouteTable } from '../routes/table.ts'
import { createBalancedPaths } from './balanced-paths.ts'
import { type Components, createComponents } from './components.ts'
import { fixedResponses, fixedSchemas } from './fixed-parts.ts'
import { toQueuePaths } from './queue-paths.ts'
import type { OpenApiDocument, Operation, PathItem } from './types.ts'
import { createValues, type Values } from './values.ts'

export interface DocumentSources {
  table: Pick<RouteTable, 'routes' | 'balanced'>
  /** What the text of a function tells; `null` where there is no text. */
  signature(id: string): Promise<Signature | null>
  /** What schemas tell of themselves, by id of the function. */
  schemas(): Promise<ReadonlyMap<string, ToldSchemas>>
  title: string
  version: string
}

/**
 * All addresses of the table as an OpenAPI document; whoever answers with it adds where they are.
 *
 * Values are described by the author's schemas, else as far as the source tells their types.
 */
export async function createDocument({
  table,
  signature,
  schemas,
  title,
  version,
}: DocumentSources): Promise<OpenApiDocument> {
  const components = createComponents(fixedSchemas)
  const facts = factsOf(table)
  const told = await schemas()
  const values = new Map<string, Values>()
  for (const fact of facts)
    values.set(
      fact.id,
      createValues({ fact, components, schemas: told.get(fact.id), signature: await signature(fact.id) }),
    )
  const paths = toPaths(table, values, components)
  return {
    openapi: '3.1.1',
    info: { title, version, description: about },
    servers: [],
    tags: toTags(facts),
    paths: withUniqueIds(paths),
    components: { schemas: components.all(), responses: fixedResponses },
  }
}

const about =
  'Remote functions take their parameters by name in `input`; `{ "args": [ … ] }` gives them by position. Routes of load-balanced endpoints take what they say.'

function factsOf({ routes, balanced }: DocumentSources['table']): FunctionFact[] {
  return [...new Map([...routes, ...balanced].map(({ fact }) => [fact.id, fact])).values()]
}

function toPaths(
  { routes, balanced }: DocumentSources['table'],
  values: ReadonlyMap<string, Values>,
  components: Components,
): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {}
  const seen = new Set<string>()
  for (const route of routes) {
    // What has two addresses is listed at the one that it always has.
    if (route.short) continue
    const { fact, callable } = route
    const short = routes.find((one) => one.short && one.fact === fact && one.callable === callable)
    const isFirst = !seen.has(fact.endpoint)
    seen.add(fact.endpoint)
    const given = { route, short: short?.path ?? null, values: values.get(fact.id)!, isFirst }
    for (const [path, item] of toQueuePaths(given)) paths[path] = item
  }
  const add = createBalancedPaths(paths)
  for (const route of balanced)
    add({ route, values: values.get(route.fact.id)!, resolve: (schema) => resolve(schema, components) })
  return paths
}

function resolve(schema: JsonSchema, components: Components): JsonSchema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref))?.[1]
  return name === undefined ? schema : components.all()[name]!
}

function toTags(facts: readonly FunctionFact[]): OpenApiDocument['tags'] {
  const kinds = new Map(facts.map((fact) => [fact.endpoint, isBalanced(fact)]))
  return [...kinds].sort().map(([name, isBalanced]) => ({
    name,
    description: isBalanced ? 'A load-balanced endpoint.' : 'An endpoint with a queue.',
  }))
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options']

/** Functions of two files may have one name. */
function withUniqueIds(paths: Record<string, PathItem>): Record<string, PathItem> {
  const taken = new Set<string>()
  for (const item of Object.values(paths))
    for (const operation of methods.flatMap((method) => (item[method] as Operation | undefined) ?? [])) {
      const { operationId } = operation
      for (let number = 2; taken.has(operation.operationId); number++)
        operation.operationId = `${operationId}_${number}`
      taken.add(operation.operationId)
    }
  return paths
}
