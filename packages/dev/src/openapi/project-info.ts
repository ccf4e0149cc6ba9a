import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What a document is called: name and version of the project's `package.json`. */
export function readProjectInfo(root: string): { title: string; version: string } {
  const { name, version } = readManifest(join(root, 'package.json'))
  const usual = { title: basename(root) || 'app', version: '0.0.0' }
  return {
    title: typeof name === 'string' && name ? name : usual.title,
    version: typeof version === 'string' && version ? version : usual.version,
  }
}

function readManifest(file: string): { name?: unknown; version?: unknown } {
  try {
    return existsSync(file) ? ((JSON.parse(readFileSync(file, 'utf8')) ?? {}) as object) : {}
  } catch {
    // Whoever needs it as it should be says what is wrong with it.
    return {}
  }
}
