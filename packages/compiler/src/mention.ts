import type { CompilerHost } from './types.ts'

/**
 * Whether a text can name one of the words that other modules export, so that most modules are never parsed.
 *
 * - a name stands by itself: neither in a longer one nor in a path or a key such as `'/api/items'` and `'x-api-key'`;
 * - a default export is named by its importers as they like, so its words tell how its module is imported (`wordsOfModule`).
 */
export function mentions(code: string, words: Iterable<string>): boolean {
  const text = withoutEscapes(code)
  for (const word of words) if (text.includes(lettersOf(word)) && isIn(text, word)) return true
  return false
}

/** Whether the default export of the module that is imported as `source` can be behind one of the words. */
export function mentionsModule(source: string, words: Iterable<string>): boolean {
  return mentions(
    `import ${JSON.stringify(source)}`,
    [...words].filter((word) => word.startsWith('/')),
  )
}

/**
 * What the default export of a module is called in lists of words.
 *
 * - `/third` is `third.ts` or `third/index.ts`, and the entry of a package in the folder `third`;
 * - `/third/` is anything of a package of this name, in whatever scope: which file is its entry, hosts decide;
 * - `/` is any `index`, of which an import may say no more than `'..'`.
 */
export function wordsOfModule(
  file: string,
  { package: name, path }: Pick<ReturnType<CompilerHost['locate']>, 'package' | 'path'>,
): string[] {
  const parts = file.replace(/\.[^./]+$/, '').split('/')
  const isIndex = parts.at(-1) === 'index'
  const words = isIndex ? ['/', `/${parts.at(-2)}`] : [`/${parts.at(-1)}`]
  if (name !== '') {
    const folder = file.slice(0, -path.length - 1)
    words.push(`/${lastOf(name)}/`, `/${lastOf(folder)}`)
  }
  return [...new Set(words)]
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** What of a word is in every text that mentions it, unless that has escapes. */
export function lettersOf(word: string): string {
  return word.replace(/^\/(.*?)\/?$/, '$1')
}

/** Names and texts may be written with escapes: `\u0061pi` is `api`. */
export function withoutEscapes(code: string): string {
  if (!code.includes('\\u') && !code.includes('\\x')) return code
  return code.replaceAll(/\\(?:u\{([\da-f]+)\}|u([\da-f]{4})|x([\da-f]{2}))/gi, (text, ...digits) => {
    const point = Number.parseInt(digits.find((one) => one !== undefined) as string, 16)
    return point <= 0x10_ff_ff ? String.fromCodePoint(point) : text
  })
}

const tests = new Map<string, RegExp>()

/** Anything may be between the word `import` and the specifier, such as a comment: what counts is their order. */
function isIn(text: string, word: string): boolean {
  const start = word.startsWith('/') ? text.search(/\b(?:from|import)\b/) : 0
  return start >= 0 && testOf(word).test(start === 0 ? text : text.slice(start))
}

function testOf(word: string): RegExp {
  const before = tests.get(word)
  if (before) return before
  const letters = lettersOf(word).replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const test = new RegExp(word.startsWith('/') ? specifierOf(word, letters) : nameOf(letters), 'u')
  tests.set(word, test)
  return test
}

const IN_NAME = String.raw`\p{ID_Continue}$\u200c\u200d-`

/** Comments may touch it. */
function nameOf(letters: string): string {
  return String.raw`(?<![${IN_NAME}]|(?<!\*)\/)${letters}(?![${IN_NAME}]|\/(?![*/]))`
}

const QUOTE = String.raw`["'\x60]`
/** `'..'`, `'./index.ts'`, and `'@/'` where that is the folder of sources. */
const INDEX = String.raw`(?:["'\x60/]\.{1,2}\/?|["'\x60/]index|${QUOTE}[@~#$]\/?)(?:${QUOTE}|[?#]|(?<=index)\.)`

function specifierOf(word: string, letters: string): string {
  if (letters === '') return INDEX
  const below = word.endsWith('/') ? String.raw`\/` : String.raw`\/(?:${QUOTE}|index)`
  return String.raw`["'\x60/@~#$]${letters}(?:["'\x60.?#]|${below})`
}
