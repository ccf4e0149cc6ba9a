import { findApiNames } from '../balanced/imported.ts'
import { findAliases, mayContain } from '../detect.ts'
import { packageName, packageWords } from '../follow.ts'
import { lettersOf, mentions, wordOfModule } from '../mention.ts'
import { type ParsedModule, parseModule } from '../parse.ts'
import { readMatching } from '../scan.ts'
import type { CompilerHost } from '../types.ts'

const words = [packageName, ...packageWords]

/** Files whose text can have to do with us, with their text. */
export function readCandidates(files: string[]): Promise<Map<string, string>> {
  return readMatching(files, (bytes) => has(bytes, words) && mayContain(bytes.toString('utf8')))
}

/** Files that mention one of the words of `findExportWords`. */
export function readMentions(files: string[], wanted: ReadonlySet<string>): Promise<Map<string, string>> {
  const letters = [...wanted].map(lettersOf)
  return readMatching(files, (bytes) => has(bytes, letters) && mentions(bytes.toString('utf8'), wanted))
}

/** A test of bytes, so that other files are not even decoded; what is written with escapes may be anything. */
function has(bytes: Buffer, texts: string[]): boolean {
  return texts.some((text) => bytes.includes(text)) || bytes.includes('\\u') || bytes.includes('\\x')
}

/**
 * The words by which other modules can name what this one exports of ours: a module that renames `remote` to `gpu` gives `gpu`.
 *
 * A default export has any name where it is imported; what stays is the name of the module itself: `/flash`.
 */
export async function findExportWords(code: string, file: string, host: CompilerHost): Promise<string[]> {
  const parsed = tryParse(code, file)
  if (!parsed) return []
  const aliases = [...(await findAliases(parsed, host)), ...(await findApiNames(parsed, host))]
  return aliases.map((name) => (name === 'default' ? wordOfModule(file) : name))
}

function tryParse(code: string, file: string): ParsedModule | null {
  try {
    return /\.[cm]?[jt]sx?$/.test(file) ? parseModule(code, file) : null
  } catch {
    // Reported where the module itself is read.
    return null
  }
}
