import { randomBytes, randomInt } from 'node:crypto'

const letters = 'abcdefghijklmnopqrstuvwxyz'
const alphabet = `${letters}0123456789`

/** First parts of paths below `/v2`, which an id must not be. */
const reserved = new Set([
  'account',
  'billing',
  'catalog',
  'clusters',
  'flash',
  'pods',
  'registries',
  'serverless',
  'templates',
])

/** Lower-case letters and digits, as long as Runpod's: 14 for endpoints and pods, 10 for all else. */
export function createId(taken: ReadonlyMap<string, unknown>, length: 10 | 14 = 10): string {
  for (;;) {
    const rest = Array.from({ length: length - 1 }, () => alphabet[randomInt(alphabet.length)])
    const id = letters[randomInt(letters.length)] + rest.join('')
    if (!reserved.has(id) && !taken.has(id)) return id
  }
}

/** Nobody can guess it: for addresses that need no key, and for keys. */
export function createToken(): string {
  return randomBytes(24).toString('base64url')
}
