import type { DeclaredBinding } from '../bindings.ts'
import { readGraph } from '../graph.ts'
import type { ParsedModule } from '../parse.ts'
import { readReferences, type Use } from '../references.ts'
import type { Span } from '../span.ts'

/** What an expression uses of this module that statements at the top level change: `app.get(…)`, `hooks.open = …`. */
export function findConfigured(parsed: ParsedModule, { start, end }: Span): Use[] {
  const { uses } = readReferences(parsed)
  return uses.filter(
    (use) => !use.type && use.start >= start && use.end <= end && isConfigured(parsed, use.name),
  )
}

function isConfigured(parsed: ParsedModule, name: string): boolean {
  if (!findDeclared(parsed, name)) return false
  const statements = readGraph(parsed).units.filter(({ kind }) => kind === 'effect')
  const uses = statements.flatMap((unit) => unit.uses).filter((use) => use.name === name && !use.deferred)
  return uses.some(({ effect }) => effect === 'mutate' || effect === 'write')
}

/** What the module itself declares under a name, other than a type. */
export function findDeclared({ bindings }: ParsedModule, name: string): DeclaredBinding | null {
  const binding = bindings.get(name)
  return binding && binding.kind !== 'import' && binding.kind !== 'type' ? binding : null
}
