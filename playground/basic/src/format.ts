/** A value as a person who writes code would put it down: `Map(1) { "stamp" → 95n }`. */
export function format(value: unknown): string {
  if (value instanceof Date) return `Date ${value.toISOString()}`
  if (value instanceof Map) return `Map(${value.size}) { ${[...value].map(formatEntry).join(', ')} }`
  if (value instanceof Uint8Array) return `Uint8Array(${value.length}) [${value.join(', ')}]`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map(format).join(', ')}]`
  if (value && typeof value === 'object') return formatObject(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function formatEntry([key, value]: [unknown, unknown]): string {
  return `${format(key)} → ${format(value)}`
}

function formatObject(value: object): string {
  const entries = Object.entries(value)
  if (entries.length === 0) return '{}'
  return `{\n${entries.map(([key, each]) => `  ${key}: ${format(each).replaceAll('\n', '\n  ')}`).join('\n')}\n}`
}

/** An error as `OverdrawnError OVERDRAWN: message`, with its data below. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return `Thrown: ${format(error)}`
  const { code, data, hint } = error as Error & { code?: unknown; data?: unknown; hint?: unknown }
  // An aborted signal's reason has a number as its code, which says less than its name.
  const head = [error.name, typeof code === 'string' && code].filter(Boolean).join(' ')
  const tail = [data !== undefined && `data ${format(data)}`, typeof hint === 'string' && `hint ${hint}`]
  return [`${head}: ${error.message}`, ...tail].filter(Boolean).join('\n')
}
