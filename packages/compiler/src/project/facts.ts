import { type FunctionFact, isBalanced } from '@flash/protocol'
import { ownerOf } from '../balanced/owner.ts'
import type { ConfigReading } from '../config.ts'
import { deriveEndpointName } from '../names.ts'
import type { CompilerHost } from '../types.ts'

/**
 * All there is to know about one function.
 *
 * - `data`: its config when that had to be executed, as far as it came.
 */
export function toFact(reading: ConfigReading, host: CompilerHost, data?: unknown): FunctionFact {
  const { found, analysis, code, setup } = reading
  const { file } = analysis.parsed
  const { package: packageName, path, prefix } = host.locate(file)
  const { id, exportPath, exported, kind, callables, constructorParams, at } = found
  const executed = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>
  const has = (key: keyof typeof code) => code[key] ?? executed[key] === true
  const takesSchemas = !isBalanced(found)
  const owner = ownerOf(found)
  return {
    id,
    package: packageName,
    path,
    file,
    prefix,
    exportPath,
    exported,
    kind,
    ...ofRoute(found),
    callables,
    constructorParams,
    setup: setup?.key ?? (has('setup') ? `${owner.id}.setup` : null),
    hasInput: takesSchemas && has('input'),
    hasOutput: takesSchemas && has('output'),
    endpoint: nameOf(reading, executed) ?? deriveEndpointName(prefix, owner.name),
    at,
  }
}

function ofRoute({ route, name }: Pick<FunctionFact, 'route' | 'name'>): Partial<FunctionFact> {
  return { ...(route && { route }), ...(name !== undefined && { name }) }
}

function nameOf({ name }: ConfigReading, executed: Record<string, unknown>): string | null {
  if (name !== undefined) return name
  return typeof executed.name === 'string' ? executed.name : null
}

/** Whether executing the config is needed to know its facts. */
export function needsExecution({ name, code, failure }: ConfigReading): boolean {
  return failure === null && (name === undefined || Object.values(code).includes(undefined))
}

/** By package, file and name, the same on every machine. */
export function compareFacts(a: FunctionFact, b: FunctionFact): number {
  return compare(a.package, b.package) || compare(a.path, b.path) || compare(a.exportPath, b.exportPath)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
