import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@flash/protocol'

const KEY_BYTES = 32

/**
 * The 32 bytes that sign this project's browser stubs and job tokens: `FLASH_KEY`, else `.flash/key`, made when missing.
 *
 * - throws `BAD_PROJECT_KEY` for a value that is not 32 bytes of base64url or base64.
 */
export function loadProjectKey(
  root: string,
  env: Record<string, string | undefined> = process.env,
): Uint8Array {
  if (env.FLASH_KEY) return parseKey(env.FLASH_KEY, 'FLASH_KEY')
  const folder = stateFolder(root)
  const file = join(folder, 'key')
  if (!existsSync(file)) createKey(file)
  return parseKey(readFileSync(file, 'utf8'), '.flash/key')
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
