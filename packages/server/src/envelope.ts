import { AppError } from '@flash/protocol'

/** Who asks: a page of the app with a capability tag, or code that showed the server's own token. */
export interface RpcCaller {
  kind: 'page' | 'server'
  subject: string | null
}

/** What a stub sends: arguments by position and the options of the call. */
export interface CallEnvelope {
  args: unknown[]
  /** Constructor arguments, for a method of a class. */
  new?: unknown[]
  /** The method. */
  fn?: string
  run?: boolean
  warm?: boolean
  timeoutMs?: number
  idempotencyKey?: string
  /** Whose key it is; the route says so, and no stub. */
  scope?: string
  /** How many calls led to it, with this one; the route says so, too. */
  hops?: number
  /** Milliseconds since the epoch, after which nobody needs an answer; the route says so, too. */
  deadline?: number
  executionTimeoutMs?: number
  ttlMs?: number
  lowPriority?: boolean
  webhook?: string
  s3Config?: unknown
}

export interface ResumeEnvelope {
  token: string
  from: number
  only?: 'status'
}

type Check = { is: (value: unknown) => boolean; wanted: string }

const list: Check = { is: Array.isArray, wanted: 'a list' }
const text: Check = {
  is: (value) => typeof value === 'string' && value.length <= 4096,
  wanted: 'text of at most 4096 characters',
}
const flag: Check = { is: (value) => typeof value === 'boolean', wanted: 'true or false' }
const span: Check = {
  is: (value) => typeof value === 'number' && value > 0 && value <= 2_147_483_647,
  wanted: 'milliseconds above 0',
}
const between = (min: number, max: number): Check => ({
  is: (value) => typeof value === 'number' && value >= min && value <= max,
  wanted: `milliseconds from ${min} to ${max}`,
})

const address: Check = {
  is: (value) => typeof value === 'string' && isWebAddress(value),
  wanted: 'a URL with http or https',
}

/** Whether a text can be posted to. */
export function isWebAddress(text: string): boolean {
  return /^https?:/i.test(text) && URL.canParse(text)
}

const record: Check = { is: (value) => typeof value === 'object' && value !== null, wanted: 'an object' }

const pageFields: Record<string, Check> = {
  args: list,
  new: list,
  fn: text,
  run: flag,
  timeoutMs: span,
  idempotencyKey: text,
}
const serverFields: Record<string, Check> = {
  ...pageFields,
  warm: flag,
  executionTimeoutMs: between(5_000, 604_800_000),
  ttlMs: between(10_000, 604_800_000),
  lowPriority: flag,
  webhook: address,
  s3Config: record,
}

/** Parses what a stub sent; a page may use fewer options than a server. */
export function parseCall(value: unknown, caller: RpcCaller): CallEnvelope {
  const fields = parseRecord(value)
  const allowed = caller.kind === 'page' ? pageFields : serverFields
  for (const [name, given] of Object.entries(fields)) {
    const check = Object.hasOwn(allowed, name) ? allowed[name] : undefined
    if (!check) throw unknownField(name, caller)
    if (!check.is(given))
      throw new AppError('BAD_REQUEST', {
        message: `the field "${name}" of the call must be ${check.wanted}`,
      })
  }
  if (!Object.hasOwn(fields, 'args'))
    throw new AppError('BAD_REQUEST', { message: 'the call has no field "args"' })
  return fields as unknown as CallEnvelope
}

export function parseResume(value: unknown): ResumeEnvelope {
  const { token, from = 0, only } = parseRecord(value)
  if (typeof token !== 'string')
    throw new AppError('BAD_REQUEST', { message: 'the field "token" must be text' })
  if (!Number.isSafeInteger(from) || (from as number) < 0)
    throw new AppError('BAD_REQUEST', { message: 'the field "from" must be a count' })
  if (only !== undefined && only !== 'status')
    throw new AppError('BAD_REQUEST', { message: 'the field "only" must be "status"' })
  return { token, from: from as number, only }
}

function parseRecord(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new AppError('BAD_REQUEST', { message: 'the message is not an object' })
}

function unknownField(name: string, caller: RpcCaller): AppError {
  if (caller.kind === 'page' && Object.hasOwn(serverFields, name)) {
    return new AppError('OPTION_SERVER_ONLY', {
      message: `"${name}" is not available to pages`,
      hint: 'use it in code that runs on a server',
    })
  }
  return new AppError('BAD_REQUEST', { message: `the call has an unknown field "${name.slice(0, 64)}"` })
}
