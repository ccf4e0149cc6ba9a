import { AppError } from '@flash/protocol'

/** Variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>

/** The key that calls show, by the variable that holds it. */
export interface KeyVariable {
  name: string
  /** What a call rejects with that needs the key and has none; it names the account when omitted. */
  missing?(endpoint: string): AppError
}

/** The account key, which servers have. */
export const accountKey: KeyVariable = { name: 'RUNPOD_API_KEY' }

/** A variable without the blanks around it; an empty one is not set. */
export function readVariable(env: Env, name: string): string | undefined {
  return env[name]?.trim() || undefined
}

const defaultBase = 'https://api.runpod.ai/v2'
const baseName = 'RUNPOD_ENDPOINT_BASE_URL'

/** Below which the platform has its endpoints; throws `BAD_ADDRESS`. */
export function readBase(env: Env): URL {
  return parseUrl(baseName, readVariable(env, baseName) ?? defaultBase)
}

/** A URL that paths can be added to; throws `BAD_ADDRESS` naming the variable, and not what it holds: a URL may have a password. */
export function parseUrl(name: string, text: string): URL {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  const problem = url ? problemOf(url) : 'is no URL with http or https'
  if (!url || problem) {
    throw new AppError('BAD_ADDRESS', {
      message: `${name} ${problem}`,
      hint: `write it as ${defaultBase}`,
    })
  }
  return url
}

function problemOf(url: URL): string | undefined {
  if (url.username || url.password) return 'holds a user or password, which would end up in logs'
  if (url.search || url.hash) return 'has something behind the path, where the paths of the queue are added'
  return undefined
}

/** Without a slash at the end. */
export function toText(url: URL): string {
  return url.href.replace(/\/+$/, '')
}

/** Load-balanced endpoints have a host each, below that of the queues; before numbers no name can stand, and the emulator has paths. */
export function toBalancedUrl({ protocol, host, hostname, origin }: URL, id: string): string {
  const isNumbers = /^(?:[\d.]+|\[.*\])$/.test(hostname)
  return isNumbers || hostname === 'localhost' ? `${origin}/lb/${id}` : `${protocol}//${id}.${host}`
}

/** Where an endpoint that is known by the address of a queue takes HTTP requests; every other address is one for them already. */
export function queueToBalancedUrl(base: URL, url: string): string {
  const prefix = `${toText(base)}/`
  const id = url.startsWith(prefix) ? url.slice(prefix.length) : ''
  return /^[\w-]+$/.test(id) ? toBalancedUrl(base, id) : url
}

/** The key that a variable holds; throws `NO_ACCOUNT` for one that cannot be sent. */
export function readKey(env: Env, { name }: KeyVariable): string | undefined {
  const key = readVariable(env, name)
  // Whatever refused it later would show it whole.
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new AppError('NO_ACCOUNT', {
      message: `${name} holds characters that no key has`,
      hint: 'copy the key again, without quotes and line breaks',
    })
  }
  return key
}

/** Whether the key may be sent there: to the platform's own hosts and to this machine, to nobody else. */
export function mayHaveKey(url: URL, base: URL): boolean {
  if (isLoopback(url)) return true
  const isBelow = url.host === base.host || url.host.endsWith(`.${base.host}`)
  return isBelow && (url.protocol === 'https:' || url.protocol === base.protocol)
}

function isLoopback({ hostname }: URL): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}
