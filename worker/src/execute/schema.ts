import { AppError, type ErrorCode } from '@flash/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a function gets for an input: the schema's own output. Throws `BAD_INPUT` naming field and reason. */
export function checkInput(schema: unknown, value: unknown): Promise<unknown> {
  return check(asSchema(schema, 'input'), value, 'BAD_INPUT', 'input')
}

/** What a caller gets for a result. Throws `OUTPUT_INVALID` naming field and reason. */
export function checkOutput(schema: unknown, value: unknown): Promise<unknown> {
  return check(asSchema(schema, 'output'), value, 'OUTPUT_INVALID', 'output')
}

function asSchema(schema: unknown, field: 'input' | 'output'): StandardSchemaV1 {
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  const standard = isHolder ? (schema as Partial<StandardSchemaV1>)['~standard'] : undefined
  if (typeof standard?.validate === 'function') return schema as StandardSchemaV1
  throw new AppError('BAD_CONFIG', {
    message: `${field} is not a Standard Schema: it has no "~standard".validate`,
    hint: 'use a schema of zod, valibot, arktype or another library that implements Standard Schema',
  })
}

async function check(
  schema: StandardSchemaV1,
  value: unknown,
  code: ErrorCode,
  field: string,
): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  const issues = result.issues.map((issue) => ({ path: pathOf(issue), message: issue.message }))
  const lines = issues.slice(0, 10).map(({ path, message }) => `${path || field}: ${message}`)
  const more = issues.length > 10 ? [`and ${issues.length - 10} more`] : []
  throw new AppError(code, {
    message: [...lines, ...more].join('; '),
    hint:
      code === 'BAD_INPUT' ? 'send an input that fits the schema' : 'return what the output schema describes',
    data: { issues },
  })
}

/** `user.names[0]`, as one would write it. */
function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? [])
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .reduce<string>((path, key) => {
      if (typeof key === 'number') return `${path}[${key}]`
      return path ? `${path}.${String(key)}` : String(key)
    }, '')
}
