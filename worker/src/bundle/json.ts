import { AppError } from '@flash/protocol'

const string = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/**
 * Parses JSON that a person wrote.
 *
 * - `source`: where it is from, in words.
 * - throws `BAD_REQUEST` with line and column: Node's own message does not always have them.
 */
export function parseJson(text: string, source: string): unknown {
  const bare = text.replace(/^\uFEFF/, '')
  try {
    return JSON.parse(bare)
  } catch {
    const at = findBreak(bare)
    const lines = bare.slice(0, at).split('\n')
    const place = `line ${lines.length}, column ${lines.at(-1)!.length + 1}`
    const next = String.fromCodePoint(bare.codePointAt(at) ?? 32)
    const what = at < bare.length ? `unexpected ${JSON.stringify(next)} at ${place}` : `it ends at ${place}`
    throw new AppError('BAD_REQUEST', { message: `${source} is not JSON: ${what}` })
  }
}

/** Where a text stops being JSON; its end when something is missing there. */
function findBreak(text: string): number {
  let at = 0
  const eat = (pattern: RegExp) => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  const space = () => eat(/[ \t\n\r]*/y)
  const list = (end: RegExp, item: () => boolean) => {
    space()
    if (eat(end)) return true
    do {
      space()
      if (!item()) return false
      space()
    } while (eat(/,/y))
    return eat(end)
  }
  const pair = () => eat(string) && space() && eat(/:/y) && value()
  const value = (): boolean => {
    space()
    if (eat(/\{/y)) return list(/\}/y, pair)
    if (eat(/\[/y)) return list(/\]/y, value)
    return eat(string) || eat(scalar)
  }
  value()
  space()
  return at
}
