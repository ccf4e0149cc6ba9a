import type { Measure, Row } from './benchmark.ts'

const columns = ['', 'plain', 'flash', 'figure', 'aim', '']

/** The rows of one benchmark as text, aligned. */
export function printTable(title: string, rows: Row[]): string {
  const lines = rows.map((row) => ({ cells: toCells(row), note: row.note }))
  const all = [columns, ...lines.map(({ cells }) => cells)]
  const widths = columns.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)))
  const align = (cells: string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
  const body = lines.flatMap(({ cells, note }) => [align(cells), ...(note ? [`  ${note}`] : [])])
  return [title, align(columns), ...body].map((line) => line.trimEnd()).join('\n')
}

/** The same rows as a table for a document. */
export function printMarkdown(title: string, rows: Row[]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const body = rows.flatMap((row) => {
    const [what, ...others] = toCells(row)
    return line([row.note ? `${what} (${row.note})` : what!, ...others])
  })
  return [`### ${title}\n`, line(columns), line(['---', ...columns.slice(1).map(() => '--:')]), ...body].join(
    '\n',
  )
}

function toCells(row: Row): string[] {
  const { what, plain, flash, figure = flash, aim } = row
  return [
    what,
    plain ? toText(plain) : '',
    toText(flash),
    figure === flash ? '' : toText(figure),
    aim === undefined ? '' : `≤ ${toText({ value: aim, unit: figure.unit })}`,
    judge(row) ?? '',
  ]
}

/** Whether the aim is reached; nobody can tell while the figure is not known well enough. */
export function judge({
  flash,
  figure = flash,
  aim,
  range,
}: Row): 'reached' | 'missed' | 'unclear' | undefined {
  if (aim === undefined) return undefined
  const [low, high] = range ?? [figure.value, figure.value]
  if (high <= aim) return 'reached'
  return low > aim ? 'missed' : 'unclear'
}

function toText({ value, unit }: Measure): string {
  if (unit === 'times') return `${value.toFixed(value < 1.1 ? 3 : 2)}×`
  if (unit === 'bytes' || unit === 'calls/s' || Math.abs(value) >= 1000)
    return `${Math.round(value).toLocaleString('en')} ${unit}`
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : 1)} ${unit}`
}
