import { AppError, type Clock, endpointVariable } from '@flash/protocol'
import type { QueueAddress } from '../send/types.ts'
import { keyNameOf } from './by-variable.ts'
import { remember } from './remember.ts'
import { type Env, type KeyVariable, readBase, readKey, readVariable, toText } from './variables.ts'

/** Where an app is on the account. */
export interface AccountPlace {
  app: string
  environment: string
  key: string
}

/** Looks an endpoint up in a list of all that the account has; `null` when it is not there. */
export type FindListed = (endpoint: string, place: AccountPlace) => Promise<QueueAddress | null>

export interface AccountOptions {
  app: string
  env: Env
  key: KeyVariable
  /** Asked when the platform's own look-up does not know an endpoint. */
  findListed?: FindListed
  clock: Clock
  random: () => number
}

/** The account as the last place to look. */
export interface Account {
  /** Throws `BAD_ADDRESS`, and without a key what its variable says, or `NO_ACCOUNT`. */
  find(endpoint: string): Promise<{ queue: QueueAddress; isLookUp: boolean }>
  /** Where an endpoint is that `find` led to nothing for. */
  settle(endpoint: string): Promise<QueueAddress | null>
}

/** The pseudo endpoint at which the platform finds endpoints by app, environment and name. */
const lookUpId = 'flash'

export function createAccount(options: AccountOptions): Account {
  const { env, key, findListed, clock, random } = options
  const listed = remember(
    async (endpoint: string) => (await findListed?.(endpoint, readPlace(endpoint, options))) ?? null,
    { clock, random },
  )
  return {
    async find(endpoint) {
      const place = readPlace(endpoint, options)
      // What the list had is called by its own address from then on.
      const found = listed.has(endpoint) ? await listed.get(endpoint) : null
      return {
        queue: found ?? { ...lookUp(endpoint, place, env), ...keyNameOf(key) },
        isLookUp: found === null,
      }
    },
    settle: listed.get,
  }
}

function readPlace(endpoint: string, { app, env, key: variable }: AccountOptions): AccountPlace {
  const key = readKey(env, variable)
  if (key === undefined) throw variable.missing?.(endpoint) ?? noAccount(endpoint)
  const environment = readVariable(env, 'FLASH_ENV') ?? readVariable(env, 'FLASH_ENVIRONMENT') ?? 'production'
  return { app, environment, key }
}

function lookUp(endpoint: string, { app, environment, key }: AccountPlace, env: Env): QueueAddress {
  const headers = { 'X-Flash-App': app, 'X-Flash-Environment': environment, 'X-Flash-Endpoint': endpoint }
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value)
  return {
    endpoint,
    url: `${toText(readBase(env))}/${lookUpId}`,
    headers,
    key,
    place: `app "${app}", environment "${environment}"`,
    hint: `deploy it there, or say in ${endpointVariable(endpoint)} where it answers`,
  }
}

/** What a header cannot carry, the platform has no name for either. */
function checkHeader(name: string, value: string): void {
  if (/^[\x20-\x7e]+$/.test(value)) return
  throw new AppError('BAD_ADDRESS', {
    message: `${JSON.stringify(value)} cannot be sent as ${name}`,
    hint: 'use letters, digits and marks of ASCII in the names of app and environment (option `app`, FLASH_ENV)',
  })
}

function noAccount(endpoint: string): AppError {
  return new AppError('NO_ACCOUNT', {
    message: `endpoint "${endpoint}" has no address: nothing here runs it, and RUNPOD_API_KEY is not set to look for it on the account`,
    hint: `set RUNPOD_API_KEY, or ${endpointVariable(endpoint)} to an id or URL; on a developer's machine \`vite dev\` runs it`,
  })
}
