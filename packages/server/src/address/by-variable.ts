import { AppError, endpointVariable, redact } from '@flash/protocol'
import type { QueueAddress } from '@flash/runtime/server'
import { type Env, mayHaveKey, parseUrl, readBase, readKey, readVariable, toText } from './variables.ts'

/**
 * The address that `FLASH_ENDPOINT_<NAME>` gives: one id of the account, or one URL; `undefined` when it is not set.
 *
 * - throws `BAD_ADDRESS` naming the variable, `NO_ACCOUNT` for an id without a key.
 */
export function findByVariable(endpoint: string, env: Env): QueueAddress | undefined {
  const name = endpointVariable(endpoint)
  const value = readVariable(env, name)
  if (value === undefined) return undefined
  if (value.includes(',')) throw severalAddresses(endpoint, name)
  const base = readBase(env)
  const key = readKey(env)
  const place = `${name} ("${redact(value.slice(0, 200))}")`
  const hint = `correct ${name}, or remove it`
  if (/^[a-z0-9][\w-]{0,63}$/i.test(value)) {
    if (key === undefined) throw noKey(endpoint, name)
    return { endpoint, url: `${toText(base)}/${value}`, key, place, hint }
  }
  const url = parseUrl(name, value)
  return { endpoint, url: toText(url), key: mayHaveKey(url, base) ? key : undefined, place, hint }
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
