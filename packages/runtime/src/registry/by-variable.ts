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
  toText,
} from './variables.ts'

export interface VariableOptions {
  env: Env
  key: KeyVariable
  /** Whether the endpoint may answer at several addresses: one with a queue does not. */
  several?: boolean
}

/**
 * The addresses that `FLASH_ENDPOINT_<NAME>` gives, each an id of the account or a URL; `undefined` when it is not set.
 *
 * - throws `BAD_ADDRESS` naming the variable, and for an id without a key what the key's variable says, or `NO_ACCOUNT`.
 */
export function findByVariable(
  endpoint: string,
  { env, key, several = false }: VariableOptions,
): QueueAddress[] | undefined {
  const name = endpointVariable(endpoint)
  const value = readVariable(env, name)
  if (value === undefined) return undefined
  const values = value.split(',').map((one) => one.trim())
  if (values.length > 1 && !several) throw severalAddresses(endpoint, name)
  return values.map((one) => toAddress(endpoint, one, env, key))
}

function toAddress(endpoint: string, value: string, env: Env, variable: KeyVariable): QueueAddress {
  const name = endpointVariable(endpoint)
  const base = readBase(env)
  const key = readKey(env, variable)
  const place = `${name} ("${redact(value.slice(0, 200))}")`
  const named = { endpoint, place, hint: `correct ${name}, or remove it`, ...keyNameOf(variable) }
  if (/^[a-z0-9][\w-]{0,63}$/i.test(value)) {
    if (key === undefined) throw variable.missing?.(endpoint) ?? noKey(endpoint, name)
    return { ...named, url: `${toText(base)}/${value}`, key }
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
