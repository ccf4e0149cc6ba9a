import { AppError } from '@flash/protocol'
import { isExact, splitName } from './locked.ts'

/** A package of the config's `dependencies`. */
export interface Listed {
  name: string
  /** Exact, as `name@1.2.3` gives it. */
  version: string | null
  /** Behind the `@` as written, when that is not exact. */
  range: string | null
}

/**
 * Reads the `dependencies` of a config, by name.
 *
 * - throws `BAD_CONFIG` when one package is there with two versions.
 */
export function parseListed(entries: readonly string[], endpoint: string): Map<string, Listed> {
  const listed = new Map<string, Listed>()
  for (const entry of entries.map(toListed)) {
    const before = listed.get(entry.name)
    if (before?.version && entry.version && before.version !== entry.version)
      throw listedTwice(endpoint, entry.name, before.version, entry.version)
    if (!before?.version) listed.set(entry.name, entry)
  }
  return listed
}

function toListed(entry: string): Listed {
  const [name, wanted] = splitName(entry) ?? [entry, null]
  const version = wanted?.replace(/^[=v]+/, '')
  return version !== undefined && isExact(version)
    ? { name, version, range: null }
    : { name, version: null, range: wanted }
}

function listedTwice(endpoint: string, name: string, one: string, other: string): AppError {
  return new AppError('BAD_CONFIG', {
    message: `\`dependencies\` of the endpoint "${endpoint}" has "${name}" as ${one} and as ${other}`,
    hint: 'keep one of them: a worker installs a package once',
  })
}
