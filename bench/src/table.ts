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

function toCells({ what, plain, flash, figure = flash, aim }: Row): string[] {
  const verdict = aim === undefined ? '' : isReached(figure.value, aim) ? 'reached' : 'missed'
  return [
    what,
    plain ? toText(plain) : '',
    toText(flash),
    figure === flash ? '' : toText(figure),
    aim === undefined ? '' : `≤ ${toText({ value: aim, unit: figure.unit })}`,
    verdict,
  ]
}

export function isReached(figure: number, aim: number): boolean {
  return figure <= aim
}

function toText({ value, unit }: Measure): string {
  if (unit === 'times') return `${value.toFixed(value < 1.1 ? 3 : 2)}×`
  if (unit === 'bytes' || unit === 'calls/s' || Math.abs(value) >= 1000)
    return `${Math.round(value).toLocaleString('en')} ${unit}`
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : 1)} ${unit}`
}
