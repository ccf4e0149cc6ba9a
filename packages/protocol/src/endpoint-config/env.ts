import { refuseEnvName } from '../env-names.ts'
import type { Path, Problems } from './problems.ts'
import type { ResolvedEnv } from './types.ts'

/** Values of variables are never shown: a literal may be a secret written in the wrong place. */
export function parseEnv(problems: Problems, value: unknown, path: Path): ResolvedEnv[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return parseNames(problems, value, path)
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, entry]) =>
      parseEntry(problems, name, entry, [...path, name]),
    )
  }
  problems.add(path, 'is not allowed; a list of names, or an object of names and values, is')
  return []
}

function parseNames(problems: Problems, names: unknown[], path: Path): ResolvedEnv[] {
  const seen = new Set<string>()
  return names.flatMap((name, index): ResolvedEnv[] => {
    const at = [...path, String(index)]
    if (typeof name !== 'string') {
      problems.add(at, 'is not allowed; the name of a variable is')
      return []
    }
    if (name.includes('=')) {
      problems.add(at, 'has a value; a list has names only, write { NAME: "value" } for values')
      return []
    }
    if (!checkName(problems, at, name, 'byName')) return []
    if (seen.has(name)) problems.add(at, 'is in the list twice', { value: name })
    seen.add(name)
    return [{ name, kind: 'byName' }]
  })
}

function parseEntry(problems: Problems, name: string, value: unknown, at: Path): ResolvedEnv[] {
  if (value === undefined) return []
  if (typeof value === 'string') {
    if (!checkName(problems, at, name, 'literal')) return []
    if (/\{\{\s*RUNPOD_SECRET_/.test(value)) {
      problems.add(
        at,
        'names a secret inside a text, which only the platform would replace; write { secret: "name" }',
      )
      return []
    }
    return [{ name, kind: 'literal', value }]
  }
  const secret = secretOf(value)
  if (secret === undefined) {
    problems.add(
      at,
      'is not allowed; a text, or { secret: "name" } with letters, digits, "_", "." and "-" in the name, is',
    )
    return []
  }
  return checkName(problems, at, name, 'secret') ? [{ name, kind: 'secret', secret }] : []
}

function secretOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'secret') return undefined
  const { secret } = value as { secret: unknown }
  return typeof secret === 'string' && /^[A-Za-z0-9_.-]+$/.test(secret) ? secret : undefined
}

function checkName(problems: Problems, at: Path, name: string, form: ResolvedEnv['kind']): boolean {
  const refused = refuseEnvName(name, form)
  if (refused === undefined) return true
  // In a list the name is the value and says more than its index; what is no name may be a secret in the wrong place.
  const value = form === 'byName' && /^\w+$/.test(name) ? name : undefined
  problems.add(at, `is not allowed: ${refused}`, { code: 'RESERVED_ENV', value })
  return false
}

/** Variables of both, the endpoint's own winning over its template's. */
export function mergeEnv(template: readonly ResolvedEnv[], own: readonly ResolvedEnv[]): ResolvedEnv[] {
  const names = new Set(own.map(({ name }) => name))
  return [...template.filter(({ name }) => !names.has(name)), ...own]
}
