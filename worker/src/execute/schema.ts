import { AppError, type ErrorCode } from '@flash/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a function gets for an input: the schema's own output. Throws `BAD_INPUT` naming field and reason. */
export function checkInput(schema: unknown, value: unknown): Promise<unknown> {
  return check(
    asSchema(schema, 'input'),
    value,
    refuse('BAD_INPUT', 'input', 'send an input that fits the schema'),
  )
}

/** What a caller gets for a result. Throws `OUTPUT_INVALID` naming field and reason. */
export function checkOutput(schema: unknown, value: unknown): Promise<unknown> {
  return check(
    asSchema(schema, 'output'),
    value,
    refuse('OUTPUT_INVALID', 'output', 'return what the output schema describes'),
  )
}

/** The parts of a request that a route may have a schema for. */
export type RequestPart = 'params' | 'query' | 'body'

/**
 * What a route's handler gets for a part of the request: the schema's own output.
 *
 * - throws `BAD_INPUT` with the first field in `data.field`, `query.page`, and all of them in `data.issues`.
 */
export function checkPart(schema: unknown, value: unknown, part: RequestPart): Promise<unknown> {
  return check(asSchema(schema, part), value, (issues) => {
    const named = issues.map(({ keys, message }) => ({
      path: [part, ...keys.map(String)].join('.'),
      message,
    }))
    return new AppError('BAD_INPUT', {
      message: toSentence(named.map(({ path, message }) => `${path}: ${message}`)),
      hint: 'send what the schema of the route describes',
      data: { field: named[0]!.path, issues: named },
    })
  })
}

function asSchema(schema: unknown, field: string): StandardSchemaV1 {
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  const standard = isHolder ? (schema as Partial<StandardSchemaV1>)['~standard'] : undefined
  if (typeof standard?.validate === 'function') return schema as StandardSchemaV1
  throw new AppError('BAD_CONFIG', {
    message: `${field} is not a Standard Schema: it has no "~standard".validate`,
    hint: 'use a schema of zod, valibot, arktype or another library that implements Standard Schema',
  })
}

interface Refusal {
  keys: PropertyKey[]
  message: string
}

async function check(
  schema: StandardSchemaV1,
  value: unknown,
  toError: (issues: Refusal[]) => AppError,
): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  throw toError(
    result.issues.map(({ path = [], message }) => ({
      // Arrays of other classes make their own kind of what they map.
      keys: Array.from(path, (segment) => (typeof segment === 'object' ? segment.key : segment)),
      message,
    })),
  )
}

function refuse(code: ErrorCode, field: 'input' | 'output', hint: string): (issues: Refusal[]) => AppError {
  return (refused) => {
    const issues = refused.map(({ keys, message }) => ({ path: toPath(keys), message }))
    const message = toSentence(issues.map((issue) => `${issue.path || field}: ${issue.message}`))
    return new AppError(code, { message, hint, data: { issues } })
  }
}

function toSentence(lines: string[]): string {
  const more = lines.length > 10 ? [`and ${lines.length - 10} more`] : []
  return [...lines.slice(0, 10), ...more].join('; ')
}

/** `user.names[0]`, as one would write it. */
function toPath(keys: PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`
    return path ? `${path}.${String(key)}` : String(key)
  }, '')
}
