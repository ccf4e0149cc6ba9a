import { redact } from '@flash/protocol'
import type { LockedPackage } from './types.ts'

/** `1.2.3`, `1.0.0-beta.1+build`: what a registry has, and never a range. */
export function isExact(version: string): boolean {
  return /^\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+[\w.-]+)?$/.test(version)
}

/** A package of a lockfile; a `version` that is not exact is where it comes from. */
export function toLocked(
  name: string,
  version: string,
  more: Partial<Omit<LockedPackage, 'name' | 'version'>> = {},
): LockedPackage {
  const isPublished = isExact(version) && more.source == null
  return {
    isPatched: false,
    os: [],
    cpu: [],
    libc: [],
    isBuilt: false,
    dependencies: [],
    optional: [],
    ...more,
    name,
    version: isPublished ? version : null,
    source: isPublished ? null : redact(more.source ?? version),
  }
}

/** `@scope/name@rest` → `['@scope/name', 'rest']`; `null` without a name or a rest. */
export function splitName(id: string): [name: string, rest: string] | null {
  const at = id.indexOf('@', 1)
  return at > 0 && at < id.length - 1 ? [id.slice(0, at), id.slice(at + 1)] : null
}

/** Adds to the list of a name. */
export function addTo<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name)
  if (list) list.push(value)
  else lists.set(name, [value])
}
