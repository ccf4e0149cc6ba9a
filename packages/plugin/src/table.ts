/** Rows of text under each other; the columns of `numbers` end together. */
export function alignRows(rows: string[][], numbers: number[] = []): string[] {
  if (rows.length < 2) return []
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        numbers.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}
