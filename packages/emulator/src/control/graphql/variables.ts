import type { Variable } from '../records.ts'
import { invalid } from '../refuse.ts'
import type { Maybe } from './values.ts'

/** As the schema lets variables through: entries, and what is in them, may be `null`. */
export type VariablesInput = Maybe<{ key?: Maybe<string>; value?: Maybe<string> }>[]

/** Throws `BAD_INPUT` naming the entry that no process could be given. */
export function parseVariables(env: VariablesInput): Variable[] {
  return env.map((entry, index) => {
    const key = entry?.key
    if (!key || key.includes('=') || key.includes('\0'))
      throw invalid([`env[${index}].key: is no name of a variable`])
    const value = entry.value ?? ''
    if (value.includes('\0')) throw invalid([`env[${index}].value: contains a zero byte`])
    return { key, value }
  })
}
