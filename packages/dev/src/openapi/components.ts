import type { JsonSchema } from '@flash/compiler'
import { followPointer, rewriteSchema } from './rewrite-schema.ts'

/** The named schemas of a document. */
export interface Components {
  /**
   * A schema as a part of the document; what it refers to becomes a component.
   *
   * - `root`: what its references are in.
   * - `name`: of the component that a reference to all of `root` becomes.
   */
  take(schema: JsonSchema, root: JsonSchema, name: string): JsonSchema
  all(): Record<string, JsonSchema>
}

export function createComponents(fixed: Record<string, JsonSchema>): Components {
  const schemas = new Map(Object.entries(fixed))
  /** The same type in two functions is one component. */
  const names = new Map<string, string>()
  const take = (schema: unknown, root: JsonSchema, name: string): JsonSchema =>
    rewriteSchema(schema, (pointer) => {
      const target = followPointer(root, pointer)
      if (target === undefined)
        return { description: `a schema that is not part of this document: ${pointer}` }
      return { $ref: `#/components/schemas/${add(target, pointer, root, name)}` }
    })
  const add = (target: unknown, pointer: string, root: JsonSchema, name: string): string => {
    const key = JSON.stringify([pointer, findAll(target, root)])
    const before = names.get(key)
    if (before) return before
    const wanted = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(pointer)?.[1] ?? name
    const free = freeName(schemas, wanted.replaceAll(/[^\w.-]/g, '_'))
    names.set(key, free)
    // It may contain itself.
    schemas.set(free, {})
    schemas.set(free, take(target, root, name))
    return free
  }
  return {
    take,
    all: () => Object.fromEntries([...schemas].sort(([one], [other]) => (one < other ? -1 : 1))),
  }
}

/** Everything that a schema leads to in its root. */
function findAll(schema: unknown, root: JsonSchema): Record<string, unknown> {
  const found = new Map<string, unknown>([['', schema]])
  for (const one of found.values())
    rewriteSchema(one, (pointer) => {
      if (!found.has(pointer)) found.set(pointer, followPointer(root, pointer))
      return {}
    })
  return Object.fromEntries(found)
}

function freeName(taken: ReadonlyMap<string, unknown>, wanted: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}${number}`
    if (!taken.has(name)) return name
  }
}
