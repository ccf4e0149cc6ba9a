/**
 * Whether a text can name one of the words that other modules export, so that most modules are never parsed.
 *
 * - a name stands by itself: neither in a longer one nor in a path or a key such as `'/api/items'` and `'x-api-key'`;
 * - `/third` is the default export of `third.ts` or `third/index.ts`, which importers name as they like: its module is imported.
 */
export function mentions(code: string, words: Iterable<string>): boolean {
  const text = withoutEscapes(code)
  for (const word of words) if (text.includes(lettersOf(word)) && testOf(word).test(text)) return true
  return false
}

/** What the default export of a module is called in lists of words. */
export function wordOfModule(file: string): string {
  const parts = file.replace(/\.[^./]+$/, '').split('/')
  const last = parts.pop()!
  return `/${last === 'index' ? (parts.pop() ?? last) : last}`
}

/** What of a word is in every text that mentions it, unless that has escapes. */
export function lettersOf(word: string): string {
  return word.replace(/^\//, '')
}

/** Names and texts may be written with escapes: `\u0061pi` is `api`. */
export function withoutEscapes(code: string): string {
  if (!code.includes('\\u') && !code.includes('\\x')) return code
  return code.replaceAll(/\\(?:u\{0*([\da-f]{1,6})\}|u([\da-f]{4})|x([\da-f]{2}))/gi, (text, ...digits) => {
    const point = Number.parseInt(digits.find((one) => one !== undefined) as string, 16)
    return point <= 0x10_ff_ff ? String.fromCodePoint(point) : text
  })
}

const tests = new Map<string, RegExp>()

function testOf(word: string): RegExp {
  const before = tests.get(word)
  if (before) return before
  const letters = lettersOf(word).replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const test = new RegExp(word.startsWith('/') ? importOf(letters) : nameOf(letters), 'u')
  tests.set(word, test)
  return test
}

const IN_NAME = String.raw`\p{ID_Continue}$\u200c\u200d-`

/** Comments may touch it. */
function nameOf(letters: string): string {
  return String.raw`(?<![${IN_NAME}]|(?<!\*)\/)${letters}(?![${IN_NAME}]|\/(?![*/]))`
}

/** Between the word and the specifier there may be a comment, and a path. */
function importOf(letters: string): string {
  return String.raw`\b(?:from|import)\b[^]{0,400}?["'\x60/@~#$]${letters}(?:["'\x60.?#]|\/(?:["'\x60]|index))`
}
