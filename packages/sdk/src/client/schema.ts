import { AppError, type ErrorCode } from '@flash/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

const codes = { input: 'BAD_INPUT', output: 'OUTPUT_INVALID' } as const satisfies Record<string, ErrorCode>

const shownIssues = 10

/** The value as the schema makes it, or as it is without one; throws `BAD_INPUT` or `OUTPUT_INVALID` naming the fields. */
export async function checkValue(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  field: 'input' | 'output',
): Promise<unknown> {
  if (!schema) return value
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  const issues = result.issues.map((issue) => ({ path: pathOf(issue), message: issue.message }))
  const lines = issues.slice(0, shownIssues).map(({ path, message }) => `${path || field}: ${message}`)
  const more = issues.length > shownIssues ? [`and ${issues.length - shownIssues} more`] : []
  throw new AppError(codes[field], {
    message: [...lines, ...more].join('; '),
    hint:
      field === 'input'
        ? 'send an input that fits the schema of the client'
        : 'the endpoint gives something else than the schema of the client says; correct one of them',
    data: { issues },
  })
}

/** `user.names[0]`, as one would write it. */
function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment))
  return keys.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`
    return before ? `${before}.${String(key)}` : String(key)
  }, '')
}
