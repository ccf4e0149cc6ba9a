/** JSON Schema, as a library tells it: anything may be in it. */
type Schema = Record<string, unknown>

interface Reading {
  root: unknown
  /** Schemas around this one: a reference may lead back to itself. */
  depth: number
}

interface Outcome {
  value: unknown
  /** Whether the schema can take it, as far as types tell. */
  fits: boolean
}

const deepest = 32

/**
 * Turns text into what a JSON Schema names: JSON number text into numbers, `true|false|1|0` into booleans, `null` into null,
 * a single value into a list of one. Text that does not fit stays text, and what is no text stays as it is.
 */
export function coerce(value: unknown, schema: unknown): unknown {
  return read(value, schema, { root: schema, depth: 0 }).value
}

function read(value: unknown, schema: unknown, { root, depth }: Reading): Outcome {
  if (schema === false) return { value, fits: false }
  if (!isRecord(schema) || depth > deepest) return { value, fits: true }
  const reading = { root, depth: depth + 1 }
  const referred = typeof schema.$ref === 'string' ? [findReferred(schema.$ref, root)] : []
  let outcome = readOwn(value, schema, reading)
  for (const part of [...referred, ...listOf(schema.allOf)]) {
    const next = read(outcome.value, part, reading)
    outcome = { value: next.value, fits: outcome.fits && next.fits }
  }
  const choices = [...listOf(schema.anyOf), ...listOf(schema.oneOf)]
  if (choices.length === 0) return outcome
  const chosen = choose(outcome.value, choices, reading)
  return { value: chosen.value, fits: outcome.fits && chosen.fits }
}

/** The first of several that takes it; the value as it is when none does. */
function choose(value: unknown, choices: unknown[], reading: Reading): Outcome {
  for (const choice of choices) {
    const outcome = read(value, choice, reading)
    if (outcome.fits) return outcome
  }
  return { value, fits: false }
}

/** By what stands in the schema itself, without those that it combines. */
function readOwn(value: unknown, schema: Schema, reading: Reading): Outcome {
  const allowed = allowedOf(schema)
  const types = typesOf(schema, allowed)
  if (types.length === 0) return { value, fits: true }
  for (const type of types) {
    const outcome = readAs(type, value, schema, reading)
    if (outcome?.fits && (!allowed || allowed.includes(outcome.value))) return outcome
  }
  const only = types.length === 1 ? readAs(types[0]!, value, schema, reading) : undefined
  return { value: only ? only.value : value, fits: false }
}

/** Of `const` and `enum`. */
function allowedOf(schema: Schema): unknown[] | undefined {
  if ('const' in schema) return [schema.const]
  return Array.isArray(schema.enum) ? schema.enum : undefined
}

function typesOf(schema: Schema, allowed: unknown[] | undefined): string[] {
  const { type } = schema
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type.filter((one) => typeof one === 'string')
  if (allowed) return [...new Set(allowed.map((one) => (one === null ? 'null' : typeof one)))]
  if ('properties' in schema) return ['object']
  return 'items' in schema || 'prefixItems' in schema ? ['array'] : []
}

function readAs(type: string, value: unknown, schema: Schema, reading: Reading): Outcome | undefined {
  if (type === 'array') return readList(value, schema, reading)
  if (type === 'object') return isRecord(value) ? readObject(value, schema, reading) : undefined
  // A file, or whatever a library makes of one.
  if (type === 'string') return { value, fits: !Array.isArray(value) }
  if (typeof value !== 'string') return { value, fits: type === typeof value || type === 'integer' }
  return readText(type, value)
}

const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const words: Record<string, Record<string, unknown>> = {
  boolean: { true: true, 1: true, false: false, 0: false },
  null: { null: null },
}

function readText(type: string, text: string): Outcome | undefined {
  if (type === 'number' || type === 'integer') {
    const number = numberText.test(text) ? Number(text) : Number.NaN
    // Another number than the one that was sent is none.
    const isTold =
      Number.isFinite(number) && (type === 'number' || Math.abs(number) <= Number.MAX_SAFE_INTEGER)
    return isTold ? { value: number, fits: type === 'number' || Number.isInteger(number) } : undefined
  }
  const known = words[type]
  return known && Object.hasOwn(known, text) ? { value: known[text], fits: true } : undefined
}

function readList(value: unknown, schema: Schema, reading: Reading): Outcome {
  const items: unknown[] = Array.isArray(value) ? value : [value]
  const first = listOf(schema.prefixItems)
  const outcomes = items.map((item, at) => read(item, at < first.length ? first[at] : schema.items, reading))
  return { value: outcomes.map((one) => one.value), fits: outcomes.every(({ fits }) => fits) }
}

function readObject(value: Record<string, unknown>, schema: Schema, reading: Reading): Outcome {
  const properties = isRecord(schema.properties) ? schema.properties : {}
  let fits = listOf(schema.required).every((name) => Object.hasOwn(value, String(name)))
  const entries = Object.entries(value).map(([name, given]) => {
    const known = Object.hasOwn(properties, name)
    const outcome = read(given, known ? properties[name] : schema.additionalProperties, reading)
    fits &&= outcome.fits
    return [name, outcome.value] as const
  })
  return { value: Object.fromEntries(entries), fits }
}

/** `#`, `#/$defs/User`: only what stands in the same schema. */
function findReferred(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#')) return undefined
  let found = root
  for (const part of reference.split('/').slice(1)) {
    const name = decodePointer(part)
    found = isContainer(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return found
}

function decodePointer(part: string): string {
  const text = /%(?![\da-f]{2})/i.test(part) ? part : decodeURIComponent(part)
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && Object.prototype.toString.call(value) === '[object Object]'
}
