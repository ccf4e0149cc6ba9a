import { findApiNames } from '../balanced/imported.ts'
import { findAliases, mayContain } from '../detect.ts'
import { followExport, packageName, packageWords } from '../follow.ts'
import { lettersOf, mentions, wordsOfModule } from '../mention.ts'
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
 * A default export has any name where it is imported; what stays is how the module itself is imported.
 */
export async function findExportWords(code: string, file: string, host: CompilerHost): Promise<string[]> {
  const parsed = tryParse(code, file)
  if (!parsed) return []
  const names = [...(await findNames(parsed, host)), ...(await findNamespaces(parsed, host))]
  return names.flatMap((name) => (name === 'default' ? wordsOfModule(file, host.locate(file)) : name))
}

async function findNames(parsed: ParsedModule, host: CompilerHost): Promise<string[]> {
  return [...(await findAliases(parsed, host)), ...(await findApiNames(parsed, host))]
}

/** Namespaces of modules with a default export of ours, of which `space.default` says nothing. */
async function findNamespaces(parsed: ParsedModule, host: CompilerHost): Promise<string[]> {
  const names: string[] = []
  for (const [name, { typeOnly }] of parsed.exports) {
    const target = typeOnly
      ? null
      : await followExport(parsed, name, { host, files: new Set(), visited: new Set() })
    if (target?.kind !== 'namespace' || !target.module.exports.has('default')) continue
    if ((await findNames(target.module, host)).includes('default')) names.push(name)
  }
  return names
}

function tryParse(code: string, file: string): ParsedModule | null {
  try {
    return /\.[cm]?[jt]sx?$/.test(file) ? parseModule(code, file) : null
  } catch {
    // Reported where the module itself is read.
    return null
  }
}
