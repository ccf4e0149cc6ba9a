/**
 * The lines around a place in source text, numbered, with a marker below the place.
 *
 * ```text
 *   3 | export function outer() {
 * > 4 |   return remote({}, async () => 1)
 *     |          ^^^^^^
 *   5 | }
 * ```
 */
export function codeFrame(code: string, start: number, end = start + 1, around = 2): string {
  const text = code.charCodeAt(0) === 0xfe_ff ? ` ${code.slice(1)}` : code
  const before = text.slice(0, start).split(/\r\n?|\n/)
  const lines = text.split(/\r\n?|\n/)
  const line = before.length - 1
  const column = before[line]!.length
  const from = Math.max(0, line - around)
  const shown = lines.slice(from, line + around + 1)
  const width = String(from + shown.length).length
  return shown
    .flatMap((content, index) => {
      const number = from + index
      const row =
        `${number === line ? '>' : ' '} ${String(number + 1).padStart(width)} | ${clip(content)}`.trimEnd()
      return number === line ? [row, marker(content, column, end - start, width)] : [row]
    })
    .join('\n')
}

/** Lines of generated code can be endless; a frame is for people. */
const LIMIT = 160

function clip(line: string): string {
  return line.length > LIMIT ? `${line.slice(0, LIMIT)}…` : line
}

function marker(line: string, column: number, length: number, width: number): string {
  const room = Math.max(1, Math.min(line.length, LIMIT) - column)
  // Tabs stay tabs, so the marker stands below its text in every editor and terminal.
  const indent = line.slice(0, Math.min(column, LIMIT)).replaceAll(/[^\t]/g, ' ')
  return `  ${' '.repeat(width)} | ${indent}${'^'.repeat(Math.max(1, Math.min(length, room)))}`
}
