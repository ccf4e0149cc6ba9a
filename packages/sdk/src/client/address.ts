import { AppError, defaultWorkerKey } from '@flash/protocol'
import {
  accountKey,
  currentCaller,
  type Env,
  isDeveloping,
  type QueueAddress,
  readBase,
  readKey,
  toText,
} from '@flash/runtime/server'
import type { ClientPlan } from './config.ts'

/** Where an endpoint answers, both ways: which one it takes, only it knows. */
export interface ClientAddress {
  queue: QueueAddress
  /** Of HTTP requests, without a slash at the end. */
  balancedUrl: string
  /** Go with each request, the key among them. */
  headers: Record<string, string>
  key: string
}

/** The pseudo endpoint at which the platform finds endpoints by app, environment and name. */
const lookUpId = 'flash'

/**
 * The address by the variables as they are now.
 *
 * - throws `EXTERNAL_ENDPOINT` while developing, `NO_ACCOUNT`, `BAD_ADDRESS`.
 */
export function findClientAddress({ to, label, isLive }: ClientPlan, env: Env): ClientAddress {
  if (!isLive && isDeveloping(env)) throw external(label)
  const base = readBase(env)
  const key = findKey(env)
  if (key === undefined) throw noAccount(label)
  const id = to.kind === 'id' ? to.id : lookUpId
  const names = to.kind === 'id' ? {} : toHeaders(to)
  const place = to.kind === 'id' ? 'the account' : `app "${to.app}", environment "${to.environment}"`
  const hint =
    to.kind === 'id'
      ? 'look whether the id is complete, and whether RUNPOD_API_KEY is of the account that has it'
      : 'deploy it there, or look how app, environment and endpoint are called on the account'
  return {
    queue: { endpoint: label, url: `${toText(base)}/${id}`, headers: names, key, place, hint },
    balancedUrl: toBalancedUrl(base, id),
    headers: { ...names, authorization: `Bearer ${key}` },
    key,
  }
}

/** A worker has a key of its own for calls, and that of the account only when its config asks for it. */
function findKey(env: Env): string | undefined {
  const ofWorker = currentCaller() ? readKey(env, { name: defaultWorkerKey }) : undefined
  return ofWorker ?? readKey(env, accountKey)
}

function toHeaders({ app, environment, name }: { app: string; environment: string; name: string }) {
  return { 'X-Flash-App': app, 'X-Flash-Environment': environment, 'X-Flash-Endpoint': name }
}

/** Load-balanced endpoints have a host each, below that of the queues; before numbers no name can stand, and the emulator has paths. */
function toBalancedUrl({ protocol, host, hostname, origin }: URL, id: string): string {
  const isNumbers = /^(?:[\d.]+|\[.*\])$/.test(hostname)
  return isNumbers || hostname === 'localhost' ? `${origin}/lb/${id}` : `${protocol}//${id}.${host}`
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
