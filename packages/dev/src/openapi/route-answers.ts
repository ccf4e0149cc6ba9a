import type { CallableSignature, JsonSchema } from '@flash/compiler'
import type { Answer } from './types.ts'
import type { Values } from './values.ts'

/** What the handler of a route gives back, with its status. */
export function toAnswers(values: Values, method: string): Record<string, Answer> {
  if (method === 'HEAD') return { '200': { description: 'What the handler answers, without a body.' } }
  const handler = values.callable('handler') ?? untold
  const told = values.told('response')
  const schema = told ?? values.ofSource(handler.result)
  if (handler.answers === 'items') return content(events, 'text/event-stream', schema)
  const isRaw = handler.answers === 'raw' && !told
  if (!isRaw && schema.type === 'null') return { '204': nothing }
  const some = isRaw
    ? content(ownAnswer, '*/*', {})
    : content(describe(schema, handler), 'application/json', schema)
  return givesNothing(values, handler) ? { ...some, '204': nothing } : some
}

type Handler = Pick<CallableSignature, 'answers' | 'result' | 'instead'>

/** Where there are no sources. */
const untold: Handler = { answers: 'value', result: {} }

const events = 'Server-sent events; the `data` of each is one value as JSON.'
const ownAnswer = 'What the handler sends, with status and type of its own.'
const nothing: Answer = { description: 'Nothing.' }

function givesNothing(values: Values, { instead }: Handler): boolean {
  return values.isOptional('response') ?? instead?.includes('nothing') ?? false
}

function describe(schema: JsonSchema, { instead }: Handler): string {
  const isKnown = Object.keys(schema).some((key) => key !== 'description')
  if (!isKnown)
    return 'What the handler returns. The source does not tell whether that is data, nothing (204) or an answer of its own.'
  return instead?.includes('raw')
    ? 'What the handler returns. It may also send an answer with status and type of its own.'
    : 'What the handler returns.'
}

function content(description: string, type: string, schema: JsonSchema): Record<string, Answer> {
  return { '200': { description, content: { [type]: { schema } } } }
}
