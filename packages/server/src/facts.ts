import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, type ServerFacts } from '@flash/protocol'

/** What `flash start` knows of an app that has no server output of its own. */
export interface AppFacts extends ServerFacts {
  /** As Vite has it: a `spa` answers navigations to whatever is no file with its `index.html`. */
  appType: 'spa' | 'mpa' | 'custom'
  /** The largest body of a call. */
  maxBodyBytes: number
}

/** Where the sealed facts are in the folder of the built app. Whoever is given the file can read nothing in it. */
export const FACTS_FILE = '.flash-facts'

const HEADER = 'flash-facts.1.'
const IV_BYTES = 12
const AUTH_BYTES = 16

/**
 * Facts as text for a file beside what browsers load, readable with the project key only (AES-256-GCM).
 * The same facts give the same text, whatever the order of the functions.
 */
export function sealFacts(facts: AppFacts, key: Uint8Array): string {
  const functions = [...facts.functions].sort((a, b) => (a.id < b.id ? -1 : 1))
  const text = Buffer.from(JSON.stringify({ ...facts, functions }))
  // Drawn from the content: two builds are equal byte for byte, and no two contents share one.
  const iv = createHmac('sha256', deriveKey('iv', key)).update(text).digest().subarray(0, IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', deriveKey('seal', key), iv)
  cipher.setAAD(Buffer.from(HEADER))
  const sealed = Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()])
  return `${HEADER}${sealed.toString('base64url')}\n`
}

/**
 * The facts of `sealFacts`.
 *
 * - throws `BAD_PROJECT_KEY` for facts of another key, which is what altered ones look like too.
 * - throws `BUILD_MISSING` for what was never sealed, or by another version.
 */
export function openFacts(sealed: string, key: Uint8Array): AppFacts {
  if (!sealed.startsWith(HEADER)) {
    throw new AppError('BUILD_MISSING', {
      message: `${FACTS_FILE} was not written by this version of unplugin-flash`,
      hint: 'run `vite build` again',
    })
  }
  const bytes = Buffer.from(sealed.slice(HEADER.length), 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', deriveKey('seal', key), bytes.subarray(0, IV_BYTES), {
      authTagLength: AUTH_BYTES,
    })
    decipher.setAAD(Buffer.from(HEADER))
    decipher.setAuthTag(bytes.subarray(-AUTH_BYTES))
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -AUTH_BYTES)), decipher.final()])
    return JSON.parse(text.toString()) as AppFacts
  } catch (cause) {
    throw new AppError('BAD_PROJECT_KEY', {
      message: 'the app was built with another project key',
      hint: 'give this process the FLASH_KEY of the build, or the same .flash/key; or build again',
      cause,
    })
  }
}

/** Reads the facts of the app that was built into `dist`; throws as `openFacts` does. */
export function readFacts(dist: string, key: Uint8Array): AppFacts {
  return openFacts(readSealed(join(dist, FACTS_FILE)), key)
}

function readSealed(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new AppError('BUILD_MISSING', {
      message: `there is no built app: ${file} cannot be read`,
      hint: 'run `vite build` first; an app with a server of its own is started with that server',
      cause,
    })
  }
}

function deriveKey(use: 'seal' | 'iv', key: Uint8Array): Buffer {
  return createHash('sha256').update(`flash facts ${use}`).update(key).digest()
}
