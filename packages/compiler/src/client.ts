import type { CallExpression, Expression } from 'oxc-parser'
import { type ParsedModule, peel } from './parse.ts'
import { propertyName } from './references.ts'
import { findFlow } from './transform/flow.ts'
import type { FoundClient } from './types.ts'

/** What only the config of a client has, unless a web app is given, too. */
const clientFields = new Set(['id', 'app', 'image'])

/**
 * The client that a call of `endpoint()` makes: its config has `id`, `app` or `image`, written in the call or in a constant of
 * the module. `null` for every other call.
 */
export function findClient(parsed: ParsedModule, call: CallExpression): FoundClient | null {
  const [config, more] = call.arguments
  if (!config || more || config.type === 'SpreadElement') return null
  const fields = [...findFlow(parsed, [config])].flatMap((node) =>
    node.type === 'ObjectExpression' ? node.properties : [],
  )
  const isClient = fields.some(
    (field) => field.type === 'Property' && clientFields.has(propertyName(field.key, field.computed) ?? ''),
  )
  return isClient ? { call, config: peel(config) as Expression } : null
}
