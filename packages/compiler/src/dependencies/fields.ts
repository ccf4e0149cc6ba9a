/** What foreign data has at a place, or nothing: only own fields count, whatever they are called. */
export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function fieldOf(value: unknown, name: string): unknown {
  return isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

export function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name)
  return typeof text === 'string' ? text : undefined
}

/** A list of texts; one text alone is a list of one. */
export function textsOf(value: unknown, name: string): string[] {
  const list = fieldOf(value, name)
  if (typeof list === 'string') return [list]
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
}

/** The entries of an object, none when it is something else. */
export function entriesOf(value: unknown, name: string): [name: string, value: unknown][] {
  const object = fieldOf(value, name)
  return isFields(object) ? Object.entries(object) : []
}

/** The entries of an object that are text. */
export function textEntriesOf(value: unknown, name: string): [name: string, value: string][] {
  return entriesOf(value, name).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}
