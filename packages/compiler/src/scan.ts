import { type Dirent, lstatSync, readdir, readFile, readFileSync, statSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import createMatcher, { type Ignore } from 'ignore'
import { toPosix } from './locate.ts'

const sourcePattern = /\.(?:[cm]?[jt]s|[jt]sx|vue|svelte|astro)$/
const declarationPattern = /\.d\.[cm]?ts$/
const neverEntered = new Set(['node_modules', '.git', '.flash'])
const READS_AT_A_TIME = 32

/** Whether a file can hold `remote()` calls, or is a component that must not. */
export function isSource(file: string): boolean {
  return sourcePattern.test(file) && !declarationPattern.test(file)
}

/** One ignore file: what it says holds below `base` (from the top folder, with a final `/`, or empty). */
interface Level {
  base: string
  text: string
  matcher: Ignore
}

export interface SourceTree {
  /** Absolute paths of all source files with `/`, sorted. */
  list(): Promise<string[]>
  /** Whether `list` could contain the file. */
  includes(file: string): Promise<boolean>
}

/**
 * The source files of a project: what git would not ignore, without `node_modules`, `.git` and `.flash`.
 *
 * - ignore files count in every folder from the repository's top down; those of the machine (`info/exclude`, the global one) do
 *   not, so every machine finds the same.
 * - `ignore`: further patterns in the same syntax, from the root, stronger than all files.
 * - links are not followed, as in git.
 */
export function createSourceTree(root: string, ignore: string[] = []): SourceTree {
  const top = findTop(root)
  const extra = matcherOf(ignore.join('\n'))
  const prefix = toPrefix(relative(top, root))
  const skips = (path: string, levels: Level[]) =>
    isIgnored(path, levels) || extra.test(toBytes(path.slice(prefix.length))).ignored
  return {
    async list() {
      const found: string[] = []
      await walk({ top, skips, found }, prefix, await outerLevels(top, prefix))
      return found.sort()
    },
    async includes(file) {
      const path = toPosix(relative(top, file))
      if (!isSource(path) || !path.startsWith(prefix)) return false
      return isReached({ top, skips }, path, prefix)
    },
  }
}

interface Walk {
  top: string
  skips(path: string, levels: Level[]): boolean
  found: string[]
}

/** `folder`: from the top, empty or with a final `/`. */
async function walk(state: Walk, folder: string, outer: Level[]): Promise<void> {
  const entries = await entriesOf(`${state.top}/${folder}`)
  const levels = await withOwn(
    state.top,
    folder,
    outer,
    entries.some(({ name }) => name === '.gitignore'),
  )
  const below: Promise<void>[] = []
  for (const entry of entries) {
    const path = folder + entry.name
    if (entry.isDirectory()) {
      if (neverEntered.has(entry.name) || state.skips(`${path}/`, levels)) continue
      below.push(walk(state, `${path}/`, reopened(`${path}/`, levels)))
    } else if (entry.isFile() && isSource(entry.name) && !state.skips(path, levels)) {
      state.found.push(`${state.top}/${path}`)
    }
  }
  await Promise.all(below)
}

/** The same decisions for one path, without listing folders. */
async function isReached(
  { top, skips }: Omit<Walk, 'found'>,
  path: string,
  prefix: string,
): Promise<boolean> {
  let levels = await withOwn(top, prefix, await outerLevels(top, prefix))
  const parts = path.slice(prefix.length).split('/')
  let folder = prefix
  for (const part of parts.slice(0, -1)) {
    folder += `${part}/`
    if (neverEntered.has(part) || skips(folder, levels)) return false
    levels = await withOwn(top, folder, reopened(folder, levels))
  }
  return !skips(path, levels)
}

/** The last pattern that matches decides, the ignore file nearest to the path first. */
function isIgnored(path: string, levels: Level[]): boolean {
  for (let index = levels.length - 1; index >= 0; index--) {
    const { base, matcher } = levels[index]!
    const { ignored, unignored } = matcher.test(toBytes(path.slice(base.length)))
    if (ignored || unignored) return ignored
  }
  return false
}

/**
 * The levels for what is below a folder that is entered.
 *
 * A matcher ignores everything below a folder it ignores. Where a nearer file has taken the folder back, that must not reach its
 * contents: git judges them by their own patterns.
 */
function reopened(folder: string, levels: Level[]): Level[] {
  return levels.map((level) => {
    const inside = folder.slice(level.base.length)
    if (!level.matcher.test(toBytes(inside)).ignored) return level
    const text = `${level.text}\n!/${inside.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}`
    return { ...level, text, matcher: matcherOf(text) }
  })
}

/** Levels above the root; none when they ignore the root itself, which the user has chosen nevertheless. */
async function outerLevels(top: string, prefix: string): Promise<Level[]> {
  let levels: Level[] = []
  let folder = ''
  for (const part of prefix.split('/').slice(0, -1)) {
    levels = await withOwn(top, folder, levels)
    folder += `${part}/`
    if (isIgnored(folder, levels)) return []
    levels = reopened(folder, levels)
  }
  return levels
}

async function withOwn(top: string, folder: string, levels: Level[], present = true): Promise<Level[]> {
  const file = `${top}/${folder}.gitignore`
  // Git does not read an ignore file through a link.
  const own = present && lstatSync(file, { throwIfNoEntry: false })?.isFile()
  const text = own ? await readText(file) : null
  return text === null ? levels : [...levels, { base: folder, text, matcher: matcherOf(text) }]
}

function matcherOf(text: string): Ignore {
  // As git sets `core.ignoreCase` on these systems.
  return createMatcher({ ignorecase: process.platform === 'win32' || process.platform === 'darwin' }).add(
    toBytes(text.replace(/^\uFEFF/, '')),
  )
}

/** Git matches bytes: `?` is half of an `ü`. Here one character stands for each byte. */
function toBytes(text: string): string {
  return /^[\0-\x7F]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function findTop(root: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    if (statSync(`${folder}/.git`, { throwIfNoEntry: false })) return toPosix(folder)
    if (dirname(folder) === folder) return toPosix(root)
  }
}

function toPrefix(path: string): string {
  return path === '' ? '' : `${toPosix(path)}/`
}

function entriesOf(folder: string): Promise<Dirent[]> {
  // A folder may vanish, or be closed to us, while the project is walked: then it has no sources.
  return new Promise((settle) =>
    readdir(folder, { withFileTypes: true }, (error, entries) => settle(error ? [] : entries)),
  )
}

function readText(file: string): Promise<string | null> {
  return new Promise((settle) => readFile(file, 'utf8', (error, text) => settle(error ? null : text)))
}

function readBytes(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

/**
 * The files whose text passes a test, with their text.
 *
 * - `accepts` sees the bytes, so files that do not pass are never decoded.
 */
export async function readMatching(
  files: string[],
  accepts: (bytes: Buffer, file: string) => boolean,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let start = 0; start < files.length; start += READS_AT_A_TIME) {
    // Thousands of small files cost a quarter of the processor time this way; between the groups everything else has its turn.
    for (const file of files.slice(start, start + READS_AT_A_TIME)) {
      const bytes = readBytes(file)
      if (bytes && accepts(bytes, file)) found.set(file, bytes.toString('utf8'))
    }
    await new Promise((settle) => setImmediate(settle))
  }
  return found
}
