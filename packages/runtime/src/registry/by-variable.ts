import { AppError, endpointVariable, redact } from '@flash/protocol'
import type { QueueAddress } from '../send/types.ts'
import {
  accountKey,
  type Env,
  type KeyVariable,
  mayHaveKey,
  parseUrl,
  readBase,
  readKey,
  readVariable,
  toBalancedUrl,
  toText,
} from './variables.ts'

export interface VariableOptions {
  env: Env
  key: KeyVariable
  /** Whether the endpoint takes HTTP requests, maybe at several addresses; otherwise it has one queue. */
  balanced?: boolean
}

/**
 * The addresses that `FLASH_ENDPOINT_<NAME>` gives, each an id of the account or a URL; `undefined` when it is not set.
 *
 * - throws `BAD_ADDRESS` naming the variable, and for an id without a key what the key's variable says, or `NO_ACCOUNT`.
 */
export function findByVariable(endpoint: string, options: VariableOptions): QueueAddress[] | undefined {
  const name = endpointVariable(endpoint)
  const value = readVariable(options.env, name)
  if (value === undefined) return undefined
  const values = value.split(',').map((one) => one.trim())
  if (values.length > 1 && !options.balanced) throw severalAddresses(endpoint, name)
  return values.map((one) => toAddress(endpoint, one, options))
}

function toAddress(
  endpoint: string,
  value: string,
  { env, key: variable, balanced }: VariableOptions,
): QueueAddress {
  const name = endpointVariable(endpoint)
  const base = readBase(env)
  const key = readKey(env, variable)
  const place = `${name} ("${redact(value.slice(0, 200))}")`
  const named = { endpoint, place, hint: `correct ${name}, or remove it`, ...keyNameOf(variable) }
  if (/^[a-z0-9][\w-]{0,63}$/i.test(value)) {
    if (key === undefined) throw variable.missing?.(endpoint) ?? noKey(endpoint, name)
    const url = balanced ? toBalancedUrl(base, value) : `${toText(base)}/${value}`
    return { ...named, url, key }
  }
  const url = parseUrl(name, value)
  return { ...named, url: toText(url), key: mayHaveKey(url, base) ? key : undefined }
}

/** What errors of the address call the key, when it is not the account's. */
export function keyNameOf(variable: KeyVariable): Pick<QueueAddress, 'keyName'> {
  return variable === accountKey ? {} : { keyName: variable.name }
}

function severalAddresses(endpoint: string, name: string): AppError {
  return new AppError('BAD_ADDRESS', {
    message: `${name} names several addresses, and endpoint "${endpoint}" has a queue, of which there is one`,
    hint: 'give one id or one URL',
  })
}

function noKey(endpoint: string, name: string): AppError {
  return new AppError('NO_ACCOUNT', {
    message: `${name} names endpoint "${endpoint}" by an id of the account, and RUNPOD_API_KEY is not set`,
    hint: 'set RUNPOD_API_KEY, or give a URL that needs no key',
  })
}
