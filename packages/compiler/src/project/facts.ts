import type { FunctionFact } from '@flash/protocol'
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
  const { package: owner, path, prefix } = host.locate(file)
  const { id, exportPath, exported, kind, callables, constructorParams, at } = found
  const executed = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>
  const has = (key: keyof typeof code) => code[key] ?? executed[key] === true
  const executedName = typeof executed.name === 'string' ? executed.name : null
  const name = reading.name === undefined ? executedName : reading.name
  return {
    id,
    package: owner,
    path,
    file,
    prefix,
    exportPath,
    exported,
    kind,
    callables,
    constructorParams,
    setup: setup?.key ?? (has('setup') ? `${id}.setup` : null),
    hasInput: has('input'),
    hasOutput: has('output'),
    endpoint: name ?? deriveEndpointName(prefix, exportPath),
    at,
  }
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
