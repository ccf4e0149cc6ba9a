import { stripVTControlCharacters } from 'node:util'

/** A text as a stream of this process shows it: without its colours where that is no terminal, or `NO_COLOR` is set. */
export function withColours(text: string, stream: 'stdout' | 'stderr'): string {
  return hasColours(process[stream]) ? text : stripVTControlCharacters(text)
}

/** A terminal heeds the variables by itself. */
function hasColours(stream: NodeJS.WriteStream): boolean {
  if (stream.isTTY) return stream.hasColors()
  const { FORCE_COLOR, NO_COLOR } = process.env
  return Boolean(FORCE_COLOR) && FORCE_COLOR !== '0' && !NO_COLOR
}
