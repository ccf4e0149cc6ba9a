import type { JsonSchema } from './types.ts'

/** What a function or route has a schema for; of a function `input` and `output`, of a route the others. */
export type SchemaField = 'input' | 'output' | 'params' | 'query' | 'body' | 'response'

/** What a schema says of itself, or why nobody can tell. */
export type ToldSchema = { schema: JsonSchema } | { note: string }

/* v8 ignore start -- runs in another process, where nobody counts @preserve */

/**
 * Asks schemas for their JSON Schema. It is sent to the process as the text of a function, so it names nothing from outside.
 *
 * - `value`: one schema, for a single field, or an object with one for each.
 */
export function tellSchemas(
  value: unknown,
  fields: readonly SchemaField[],
  isSingle: boolean,
): Partial<Record<SchemaField, ToldSchema>> {
  interface Standard {
    vendor: string
    jsonSchema?: Record<'input' | 'output', (options: object) => unknown>
  }
  const tell = (schema: unknown, direction: 'input' | 'output'): ToldSchema => {
    const standard = (schema as { '~standard'?: Standard } | null | undefined)?.['~standard']
    if (!standard) return { note: 'its schema is no Standard Schema' }
    if (!standard.jsonSchema) return { note: `schemas of ${standard.vendor} do not tell their JSON Schema` }
    try {
      const options = { target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } }
      const told = standard.jsonSchema[direction](options)
      if (typeof told !== 'object' || told === null) return { note: 'its schema tells no JSON Schema' }
      return { schema: JSON.parse(JSON.stringify(told)) as JsonSchema }
    } catch (error) {
      return { note: `its schema does not tell its JSON Schema: ${(error as Error).message}` }
    }
  }
  const entries = fields.map((field) => {
    const schema = isSingle ? value : (value as Record<string, unknown> | null | undefined)?.[field]
    return [field, tell(schema, field === 'output' || field === 'response' ? 'output' : 'input')]
  })
  return Object.fromEntries(entries) as Partial<Record<SchemaField, ToldSchema>>
}
/* v8 ignore stop -- @preserve */
