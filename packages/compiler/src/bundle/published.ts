import { readFileSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkEndpointName } from '@flash/protocol'
import { sha256 } from './files.ts'

const MANIFEST_FILE = 'flash_manifest.json'
const ARCHIVE_FILE = 'app.tar.gz'
/** A list of endpoints whose folders are there while no manifest says so: whoever began may never come to the end. */
const NAMES_FILE = '.endpoints.json'

/** Another text as soon as anybody wrote the manifest again; `null` when there is none. */
export function markManifest(outDir: string): string | null {
  const file = join(outDir, MANIFEST_FILE)
  try {
    return `${statSync(file, { bigint: true }).mtimeNs} ${sha256(readFileSync(file))}`
  } catch {
    return null
  }
}

/**
 * Takes away what says that the folder holds a finished build. Only for who has the lock.
 *
 * - `coming`: names of endpoints whose folders will be put there.
 * - returns the names of all that builds put there, or will.
 */
export async function withdraw(outDir: string, coming: Iterable<string> = []): Promise<string[]> {
  const manifest = readJson(join(outDir, MANIFEST_FILE)) as { endpoints?: object } | null
  const listed = readJson(join(outDir, NAMES_FILE))
  const all = [
    ...Object.keys(manifest?.endpoints ?? {}),
    ...(Array.isArray(listed) ? listed.map(String) : []),
    ...coming,
  ]
  // Anybody can write these files, and the names end up as folders that are removed.
  const names = [...new Set(all)].filter((name) => checkEndpointName(name) === undefined).sort()
  if (names.length > 0) await writeFile(join(outDir, NAMES_FILE), JSON.stringify(names))
  await removeFrom(outDir, [MANIFEST_FILE, ARCHIVE_FILE])
  return names
}

/** The last step: says that what lies there is a finished build. Only for who has the lock. */
export async function publish(outDir: string, staging: string, manifest: string): Promise<void> {
  const draft = join(outDir, staging, MANIFEST_FILE)
  await writeFile(draft, manifest)
  await rename(draft, join(outDir, MANIFEST_FILE))
  await removeFrom(outDir, [NAMES_FILE])
}

/** Takes away a build, finished or not, with its folders and no others. Only for who has the lock. */
export async function removeBuild(outDir: string): Promise<void> {
  await removeFrom(outDir, await withdraw(outDir))
  await removeFrom(outDir, [NAMES_FILE])
}

export async function removeFrom(outDir: string, names: Iterable<string>): Promise<void> {
  for (const name of names) await rm(join(outDir, name), { recursive: true, force: true })
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}
