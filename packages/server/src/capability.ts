import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** Whom a job belongs to; only that subject may read, stream and cancel it. */
export interface JobClaims {
  endpoint: string
  jobId: string
  /** Of the function that runs. */
  id: string
  /** Of a class. */
  method?: string
  subject: string | null
  /** Milliseconds since the epoch. */
  expires: number
}

export interface Capability {
  /** 16 characters that only this project's build and servers can make for `id`. */
  tag(id: string): string
  matches(id: string, tag: string): boolean
  /** AES-256-GCM under the project key, URL-safe text. */
  seal(claims: JobClaims): string
  /** `null` for a token that is malformed, altered or of another key; expiry is the caller's business. */
  open(token: string): JobClaims | null
}

type Sealed = [
  endpoint: string,
  jobId: string,
  subject: string | null,
  expires: number,
  id: string,
  method: string | null,
]

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const IV_BYTES = 12
const AUTH_BYTES = 16

/**
 * What the project key can do: mark functions as callable from the browser, and seal job tokens.
 *
 * - `key`: 32 bytes.
 */
export function createCapability(key: Uint8Array): Capability {
  const tags = new Map<string, string>()
  // As key objects: raw bytes would be prepared anew for each token, which costs four times the sealing.
  const tagKey = createSecretKey(key)
  const sealKey = createSecretKey(createHash('sha256').update('flash job token').update(key).digest())
  const tag = (id: string) => {
    const known = tags.get(id)
    if (known) return known
    const made = toBase32(createHmac('sha256', tagKey).update(id).digest()).slice(0, 16)
    // Ids come from requests, so the memory for them is bounded.
    if (tags.size < 10_000) tags.set(id, made)
    return made
  }
  return {
    tag,
    matches: (id, given) => sameText(tag(id), given),
    seal: (claims) => seal(sealKey, claims),
    open: (token) => open(sealKey, token),
  }
}

let pool = Buffer.alloc(0)

/** Random bytes are drawn for many tokens at once: drawing costs more than sealing. Each part is used once. */
function nextIv(): Buffer {
  if (pool.length < IV_BYTES) pool = randomBytes(IV_BYTES * 256)
  const iv = pool.subarray(0, IV_BYTES)
  pool = pool.subarray(IV_BYTES)
  return iv
}

function seal(key: KeyObject, { endpoint, jobId, subject, expires, id, method }: JobClaims): string {
  const iv = nextIv()
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const text = cipher.update(JSON.stringify([endpoint, jobId, subject, expires, id, method]), 'utf8')
  return Buffer.concat([iv, text, cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

function open(key: KeyObject, token: string): JobClaims | null {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length <= IV_BYTES + AUTH_BYTES || bytes.length > 4096) return null
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
    authTagLength: AUTH_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(-AUTH_BYTES))
  try {
    const text =
      decipher.update(bytes.subarray(IV_BYTES, -AUTH_BYTES), undefined, 'utf8') + decipher.final('utf8')
    const [endpoint, jobId, subject, expires, id, method] = JSON.parse(text) as Sealed
    return { endpoint, jobId, subject, expires, id, method: method ?? undefined }
  } catch {
    return null
  }
}

function toBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(value >>> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  return text
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
