import type { CallableSignature, JsonSchema, Signature, ToldSchema, ToldSchemas } from '@flash/compiler'
import type { FunctionFact } from '@flash/protocol'
import type { Components } from './components.ts'

/** What is known about the values of one function or route, in the terms of the document. */
export interface Values {
  signature: Signature | null
  /** The callable of this name, or the handler. */
  callable(name: string): CallableSignature | undefined
  /** A schema of the signature. */
  ofSource(schema: JsonSchema): JsonSchema
  /** What the author's schema tells; `null` when there is none, or it does not tell. */
  told(field: keyof ToldSchemas): JsonSchema | null
  /** Whether the author's schema takes, or gives, nothing as well; `null` where that was not tried. */
  isOptional(field: 'body' | 'response'): boolean | null
  /** Why what the document says of these fields is less than their schemas demand. */
  note(fields: readonly (keyof ToldSchemas)[]): string | null
}

interface ValuesOptions {
  fact: FunctionFact
  signature: Signature | null
  schemas: ToldSchemas | undefined
  components: Components
}

const notRead: ToldSchema = { note: 'its schema cannot be read from here' }

export function createValues({ fact, signature, schemas = {}, components }: ValuesOptions): Values {
  const fields = fieldsOf(fact)
  const find = (field: keyof ToldSchemas) => (fields.includes(field) ? (schemas[field] ?? notRead) : null)
  const root = { $defs: signature?.definitions ?? {} }
  return {
    signature,
    callable: (name) => signature?.callables.find((callable) => callable.name === name),
    ofSource: (schema) => components.take(schema, root, 'Value'),
    told(field) {
      const found = find(field)
      return found && 'schema' in found
        ? components.take(found.schema, found.schema, `${toName(fact)}_${field}`)
        : null
    },
    isOptional: (field) => find(field)?.optional ?? null,
    note(wanted) {
      const notes = wanted.flatMap((field) => {
        const found = find(field)
        return found && 'note' in found ? [`${field}: ${found.note}`] : []
      })
      return notes.length > 0 ? notes.join('; ') : null
    },
  }
}

function fieldsOf({ route, hasInput, hasOutput }: FunctionFact): (keyof ToldSchemas)[] {
  if (route) return route.schemas
  return [...(hasInput ? (['input'] as const) : []), ...(hasOutput ? (['output'] as const) : [])]
}

/** A word for a function: `models.small` is `models_small`. */
export function toName({ exportPath }: Pick<FunctionFact, 'exportPath'>): string {
  return exportPath.replaceAll(/[^A-Za-z0-9]+/g, '_').replaceAll(/^_|_$/g, '') || 'default'
}
