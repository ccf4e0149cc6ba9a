import { findApiNames } from '../balanced/imported.ts'
import { findAliases, mayContain } from '../detect.ts'
import { packageName, packageWords } from '../follow.ts'
import { type ParsedModule, parseModule } from '../parse.ts'
import { readMatching } from '../scan.ts'
import type { CompilerHost } from '../types.ts'

const words = [packageName, ...packageWords]

/** Files whose text can have to do with us, with their text. */
export function readCandidates(files: string[]): Promise<Map<string, string>> {
  return readMatching(
    files,
    (bytes) => words.some((word) => bytes.includes(word)) && mayContain(bytes.toString('utf8')),
  )
}

/** Files that mention one of the names. */
export function readMentions(files: string[], names: Iterable<string>): Promise<Map<string, string>> {
  const wanted = [...names]
  return readMatching(files, (bytes) => wanted.some((name) => bytes.includes(name)))
}

/**
 * The words by which other modules can name what this one exports of ours: a module that renames `remote` to `gpu` gives `gpu`.
 *
 * A default export has any name where it is imported; what stays is the name of the module itself.
 */
export async function findExportWords(code: string, file: string, host: CompilerHost): Promise<string[]> {
  const parsed = tryParse(code, file)
  if (!parsed) return []
  const aliases = [...(await findAliases(parsed, host)), ...(await findApiNames(parsed, host))]
  return aliases.map((name) => (name === 'default' ? moduleWord(file) : name))
}

function tryParse(code: string, file: string): ParsedModule | null {
  try {
    return /\.[cm]?[jt]sx?$/.test(file) ? parseModule(code, file) : null
  } catch {
    // Reported where the module itself is read.
    return null
  }
}

/** `src/flash.ts` and `src/flash/index.ts` → `flash`. */
function moduleWord(file: string): string {
  const parts = file.replace(/\.[^./]+$/, '').split('/')
  const last = parts.pop()!
  return last === 'index' ? (parts.pop() ?? last) : last
}
