import { AppError, defaultWorkerKey } from '@flash/protocol'
import {
  accountKey,
  currentCaller,
  type Env,
  isDeveloping,
  type KeyVariable,
  readBase,
  readKey,
  toBalancedUrl,
  toText,
} from '@flash/runtime/server'
import type { ClientAddress, Need } from './call.ts'
import type { Addressee, ClientPlan } from './config.ts'
import { findImageAddress } from './image.ts'

/** The pseudo endpoint at which the platform finds endpoints by app, environment and name. */
const lookUpId = 'flash'

/**
 * The address by the variables as they are now.
 *
 * - throws `EXTERNAL_ENDPOINT` and `NEEDS_DOCKER` while developing, `NO_ACCOUNT`, `BAD_ADDRESS`, `ENDPOINT_NOT_DEPLOYED`, and what a dev
 *   server says that runs an image.
 */
export async function findClientAddress(plan: ClientPlan, env: Env, need: Need): Promise<ClientAddress> {
  const { to, label, isLive } = plan
  if (to.kind === 'image') return findImageAddress({ ...to, isLive, key: findKey(env) }, env, need)
  if (!isLive && isDeveloping(env)) throw external(label)
  const base = readBase(env)
  const key = readKey(env, findKey(env))
  if (key === undefined) throw noAccount(label)
  const id = to.kind === 'id' ? to.id : lookUpId
  const url = need.use === 'queue' ? `${toText(base)}/${id}` : toBalancedUrl(base, id)
  return { endpoint: label, url, key, ...describe(to) }
}

function describe(to: Exclude<Addressee, { kind: 'image' }>) {
  if (to.kind === 'id') {
    return {
      place: 'the account',
      hint: 'look whether the id is complete, and whether RUNPOD_API_KEY is of the account that has it',
    }
  }
  const { app, environment, name } = to
  return {
    headers: { 'X-Flash-App': app, 'X-Flash-Environment': environment, 'X-Flash-Endpoint': name },
    place: `app "${app}", environment "${environment}"`,
    hint: "deploy it there, or look how app, environment and endpoint are called on the account; apps of this package are in `environment: 'production'` unless they say otherwise",
  }
}

/** A worker has a key of its own for calls, and that of the account only when its config asks for it. */
function findKey(env: Env): KeyVariable {
  const ofWorker = { name: defaultWorkerKey }
  return currentCaller() && readKey(env, ofWorker) !== undefined ? ofWorker : accountKey
}

function external(label: string): AppError {
  return new AppError('EXTERNAL_ENDPOINT', {
    message: `endpoint "${label}" is not of this project, and while developing nothing of the account is called unasked`,
    hint: "add `dev: { target: 'live' }` to its config if calls from here may reach it, and cost what they cost",
  })
}

function noAccount(label: string): AppError {
  return new AppError('NO_ACCOUNT', {
    message: `endpoint "${label}" is on the account, and RUNPOD_API_KEY is not set`,
    hint: 'set RUNPOD_API_KEY in the environment of this process',
  })
}
