import type { JsonSchema } from './types.ts'

/** What a function or route has a schema for; of a function `input` and `output`, of a route the others. */
export type SchemaField = 'input' | 'output' | 'params' | 'query' | 'body' | 'response'

/**
 * What a schema says of itself, or why nobody can tell.
 *
 * - `optional`: of `body` that it takes none, of `response` that it gives none; not there where it was not run.
 */
export type ToldSchema = ({ schema: JsonSchema } | { note: string }) & { optional?: boolean }

/* v8 ignore start -- runs in another process, where nobody counts @preserve */

/**
 * Asks schemas for their JSON Schema. It is sent to the process as the text of a function, so it names nothing from outside.
 *
 * - `value`: one schema, for a single field, or an object with one for each.
 */
export async function tellSchemas(
  value: unknown,
  fields: readonly SchemaField[],
  isSingle: boolean,
): Promise<Partial<Record<SchemaField, ToldSchema>>> {
  interface Standard {
    vendor: string
    validate?(value: unknown): unknown
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
  // Only trying tells: JSON Schema has no word for a value that is not there.
  const isOptional = async (schema: unknown, field: SchemaField): Promise<boolean> => {
    const standard = (schema as { '~standard'?: Standard } | null | undefined)?.['~standard']
    const late = new Promise((settle) => setTimeout(settle, 1_000, { issues: [] }))
    const tried = Promise.resolve()
      .then(() => standard!.validate!(undefined))
      .catch(() => ({ issues: [] }))
    const { issues, value } = (await Promise.race([tried, late])) as { issues?: unknown; value?: unknown }
    return !issues && (field === 'body' || value === undefined)
  }
  const told = async (schema: unknown, field: SchemaField): Promise<ToldSchema> => {
    const one = tell(schema, field === 'output' || field === 'response' ? 'output' : 'input')
    const isTried = field === 'body' || field === 'response'
    return isTried ? { ...one, optional: await isOptional(schema, field) } : one
  }
  const entries = fields.map(async (field) => {
    const schema = isSingle ? value : (value as Record<string, unknown> | null | undefined)?.[field]
    return [field, await told(schema, field)] as const
  })
  const all = await Promise.all(entries)
  return Object.fromEntries(all) as Partial<Record<SchemaField, ToldSchema>>
}
/* v8 ignore stop -- @preserve */
