import { AppError } from '@flash/protocol'
import type { Fault, NewFault } from '../faults.ts'
import { isRecord } from '../http/json.ts'

type Rule = { what: string; fits(value: unknown): boolean }

const seconds: Rule = { what: 'seconds, 0 or more', fits: (value) => isNumber(value) && value >= 0 }
const plane: Rule = {
  what: 'control, data, balanced or worker',
  fits: (value) => ['control', 'data', 'balanced', 'worker'].includes(value as string),
}
const status: Rule = {
  what: 'a status from 500 to 599',
  fits: (value) => Number.isInteger(value) && (value as number) >= 500 && (value as number) <= 599,
}

/** The fields of each kind, besides those that all have. */
const kinds: Record<Fault['kind'], Record<string, Rule>> = {
  coldStart: { seconds },
  noCapacity: {},
  throttled: {},
  crashLoop: {},
  slowPull: { seconds },
  rateLimit: { plane, retryAfterSeconds: seconds },
  serverError: { plane, status },
  lostResponse: { plane },
  expiredResult: {},
  truncatedBody: { plane },
}

const optional: Record<string, Rule> = {
  endpoint: { what: 'the id of an endpoint', fits: (value) => typeof value === 'string' && value !== '' },
  times: {
    what: 'a whole number above 0',
    fits: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  },
}

/** Reads a fault that somebody asks for. Throws `BAD_REQUEST` naming the field and what it may be. */
export function parseFault(body: unknown): NewFault {
  if (!isRecord(body)) throw badFault('the body is no JSON object')
  const { kind, ...fields } = body
  if (!isKind(kind))
    throw badFault(`kind is ${JSON.stringify(kind)}, it must be one of ${Object.keys(kinds).join(', ')}`)
  const needed = kinds[kind]
  for (const [name, rule] of Object.entries(needed)) check(name, fields[name], rule)
  for (const [name, value] of Object.entries(fields)) {
    if (Object.hasOwn(needed, name)) continue
    if (!Object.hasOwn(optional, name)) throw badFault(`a fault of kind ${kind} has no field "${name}"`)
    check(name, value, optional[name]!)
  }
  return { ...body } as NewFault
}

function isKind(value: unknown): value is Fault['kind'] {
  return typeof value === 'string' && Object.hasOwn(kinds, value)
}

function check(name: string, value: unknown, { what, fits }: Rule): void {
  if (!fits(value)) throw badFault(`${name} is ${JSON.stringify(value)}, it must be ${what}`)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function badFault(message: string): AppError {
  return new AppError('BAD_REQUEST', {
    message,
    hint: 'send for example {"kind": "coldStart", "seconds": 5}',
  })
}
