/**
 * Looks at a value from outside and adds what is wrong with it to `issues`, each with its path:
 * `workers.min: must be a whole number`.
 */
export type Shape = (value: unknown, path: string, issues: string[]) => void

interface NumberRules {
  min?: number
  max?: number
}

export function integer({ min = -Infinity, max = Infinity }: NumberRules = {}): Shape {
  return (value, path, issues) => {
    if (!Number.isSafeInteger(value)) issues.push(`${path}: must be a whole number`)
    else checkRange(value as number, min, max, path, issues)
  }
}

export function number({ min = -Infinity, max = Infinity }: NumberRules = {}): Shape {
  return (value, path, issues) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) issues.push(`${path}: must be a number`)
    else checkRange(value, min, max, path, issues)
  }
}

function checkRange(value: number, min: number, max: number, path: string, issues: string[]): void {
  if (value < min) issues.push(`${path}: must be ${min} or more`)
  if (value > max) issues.push(`${path}: must be ${max} or less`)
}

export function text({ min = 0, pattern }: { min?: number; pattern?: RegExp } = {}): Shape {
  return (value, path, issues) => {
    if (typeof value !== 'string') issues.push(`${path}: must be a text`)
    else if (value.length < min) issues.push(`${path}: must not be empty`)
    else if (value.includes('\0')) issues.push(`${path}: must not contain a zero byte`)
    else if (pattern && !pattern.test(value)) issues.push(`${path}: must look like ${pattern.source}`)
  }
}

export const flag: Shape = (value, path, issues) => {
  if (typeof value !== 'boolean') issues.push(`${path}: must be true or false`)
}

export function choice(...values: string[]): Shape {
  return (value, path, issues) => {
    if (!values.includes(value as string)) issues.push(`${path}: must be one of ${values.join(', ')}`)
  }
}

export function nullable(shape: Shape): Shape {
  return (value, path, issues) => {
    if (value !== null) shape(value, path, issues)
  }
}

export function list(
  of: Shape,
  { min = 0, max = 1_000, isUnique = false }: { min?: number; max?: number; isUnique?: boolean } = {},
): Shape {
  return (value, path, issues) => {
    if (!Array.isArray(value)) return void issues.push(`${path}: must be a list`)
    if (value.length < min || value.length > max)
      return void issues.push(`${path}: must have from ${min} to ${max} entries`)
    for (const [index, entry] of value.entries()) of(entry, `${path}[${index}]`, issues)
    if (isUnique && new Set(value.map((entry) => JSON.stringify(entry))).size < value.length)
      issues.push(`${path}: must not have an entry twice`)
  }
}

/** Texts under names that are free. */
export const textMap: Shape = (value, path, issues) => {
  if (!isRecord(value)) return void issues.push(`${path}: must be an object`)
  for (const [name, entry] of Object.entries(value)) {
    if (!name || /[=\0]/.test(name)) issues.push(`${path}: "${name.slice(0, 40)}" is no name of a variable`)
    text()(entry, `${path}.${name.slice(0, 40)}`, issues)
  }
}

/** Fields that are there are checked; one that has no shape is refused. */
export function object(fields: Record<string, Shape>, required: readonly string[] = []): Shape {
  const shapes = new Map(Object.entries(fields))
  return (value, path, issues) => {
    const at = path ? `${path}.` : ''
    if (!isRecord(value)) return void issues.push(`${path || 'body'}: must be an object`)
    for (const [name, entry] of Object.entries(value)) {
      const shape = shapes.get(name)
      if (shape) shape(entry, `${at}${name}`, issues)
      else issues.push(`${at}${name.slice(0, 40)}: is not a field`)
    }
    for (const name of required) if (!Object.hasOwn(value, name)) issues.push(`${at}${name}: is missing`)
  }
}

/** One of several objects, told by a field of theirs. */
export function oneOf(field: string, shapes: Record<string, Shape>): Shape {
  const kinds = choice(...Object.keys(shapes))
  return (value, path, issues) => {
    if (!isRecord(value)) return void issues.push(`${path}: must be an object`)
    const kind = value[field]
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined
    if (shape) shape(value, path, issues)
    else kinds(kind, `${path}.${field}`, issues)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
