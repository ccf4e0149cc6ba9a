import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@flash/protocol'

type Variables = Record<string, string | undefined>

const KEY_BYTES = 32

/**
 * The 32 bytes that sign this project's browser stubs and job tokens: `FLASH_KEY`, else `.flash/key`, made when missing.
 *
 * - throws `BAD_PROJECT_KEY` for a value that is not 32 bytes of base64url or base64.
 */
export function loadProjectKey(root: string, env: Variables = process.env): Uint8Array {
  if (!env.FLASH_KEY) {
    // Also where the key is there already: git must not see it.
    const folder = stateFolder(root)
    if (!existsSync(keyFile(root))) createKey(join(folder, 'key'))
  }
  return readKey(root, env)!
}

/** The same where a new key would be of no use, because something was made with the one that is missing. */
export function findProjectKey(root: string, env: Variables = process.env): Uint8Array {
  const found = readKey(root, env)
  if (found) return found
  throw new AppError('BAD_PROJECT_KEY', {
    message: `there is no project key: FLASH_KEY is not set, and ${keyFile(root)} does not exist`,
    hint: 'set FLASH_KEY to the key that the app was built with',
  })
}

function readKey(root: string, env: Variables): Uint8Array | undefined {
  if (env.FLASH_KEY) return parseKey(env.FLASH_KEY, 'FLASH_KEY')
  const file = keyFile(root)
  return existsSync(file) ? parseKey(readFileSync(file, 'utf8'), '.flash/key') : undefined
}

function keyFile(root: string): string {
  return join(root, '.flash', 'key')
}

/** `.flash/` of a project, which git does not see. */
export function stateFolder(root: string): string {
  const folder = join(root, '.flash')
  mkdirSync(folder, { recursive: true })
  const ignore = join(folder, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
  return folder
}

/** Whole or not at all: of two processes that start together, the second uses what the first linked. */
function createKey(file: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64url')}\n`, { mode: 0o600 })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function parseKey(text: string, place: string): Uint8Array {
  const bytes = Buffer.from(text.trim(), 'base64url')
  if (bytes.length === KEY_BYTES) return bytes
  throw new AppError('BAD_PROJECT_KEY', {
    message: `${place} holds ${bytes.length} bytes, ${KEY_BYTES} are needed`,
    hint: `set it to the output of: node -p "crypto.randomBytes(32).toString('base64url')"`,
  })
}
