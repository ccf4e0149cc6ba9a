/**
 * The words of a command as a shell would split it, without running one: quotes and backslashes count, nothing is expanded.
 *
 * - throws an `Error` with a sentence for a quote that is never closed.
 */
export function splitWords(command: string): string[] {
  const words: string[] = []
  let word: string | null = null
  for (let at = 0; at < command.length; ) {
    // A backslash at the end of a line joins it with the next.
    if (command.startsWith('\\\n', at)) {
      at += 2
      continue
    }
    const [text, next] = readPart(command, at)
    if (text === null) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + text
    at = next
  }
  return word === null ? words : [...words, word]
}

/** What stands at a place and where to go on; `null` between words. */
function readPart(command: string, at: number): [text: string | null, next: number] {
  const character = command[at]!
  if (/\s/.test(character)) return [null, at + 1]
  if (character === "'") {
    const end = findEnd(command, at, command.indexOf("'", at + 1))
    return [command.slice(at + 1, end), end + 1]
  }
  if (character === '"') return readQuoted(command, at)
  if (character !== '\\') return [character, at + 1]
  return [command[at + 1] ?? '\\', at + 2]
}

function readQuoted(command: string, at: number): [text: string, next: number] {
  const body = /^"((?:[^"\\]|\\[^])*)"/.exec(command.slice(at))?.[1]
  const end = findEnd(command, at, body === undefined ? -1 : at + body.length + 1)
  const text = body!.replace(/\\([$`"\\\n])/g, (_, escaped: string) => (escaped === '\n' ? '' : escaped))
  return [text, end + 1]
}

function findEnd(command: string, at: number, end: number): number {
  if (end < 0)
    throw new Error(`the quote at character ${at + 1} of the start command is never closed: ${command}`)
  return end
}
