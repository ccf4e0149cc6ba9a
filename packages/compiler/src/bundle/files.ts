import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'

/** Files as they are during one build: each is read once, whichever endpoints it goes into. */
export interface FileCache {
  /** `null` when there is no such file. */
  find(file: string): string | null
  /** Throws as `readFileSync` does. */
  text(file: string): string
  /** sha256 of the content, hex; `null` when there is no such file. */
  hash(file: string): string | null
  /** The content as a JSON text in UTF-8; `null` when there is no such file. */
  json(file: string): Buffer | null
}

export function createFileCache(): FileCache {
  const texts = new Map<string, string | null>()
  const find = (file: string) => {
    const before = texts.get(file)
    if (before !== undefined) return before
    const text = tryRead(file)
    texts.set(file, text)
    return text
  }
  const hash = remember((file) => mapText(find(file), sha256))
  const json = remember((file) => mapText(find(file), (text) => Buffer.from(JSON.stringify(text))))
  return { find, hash, json, text: (file) => find(file) ?? readFileSync(file, 'utf8') }
}

function tryRead(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function mapText<T>(text: string | null, change: (text: string) => T): T | null {
  return text === null ? null : change(text)
}

function remember<T>(make: (file: string) => T): (file: string) => T {
  const known = new Map<string, T>()
  return (file) => {
    const before = known.get(file)
    if (before !== undefined) return before
    const made = make(file)
    known.set(file, made)
    return made
  }
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** A module that is a file: neither one that a plugin made up, nor a specifier. */
export function isFile(id: string): boolean {
  return !id.startsWith('\0') && isAbsolute(id)
}

export const codeEnding = /\.[cm]?[jt]sx?$/
