export type Redact = (text: string) => string

/** Characters of each end that a long secret keeps, so that its owner can tell which one it is. */
const KEPT = 4
const LONG = 24

/** Shorter values are words of everyday text, and replacing them would spoil every line. */
const SHORTEST_SECRET = 6

const valueOf = String.raw`(?:"(?<secret>[^"\n]{1,4096})|'(?<single>[^'\n]{1,4096})|(?<bare>[^\s"',;&)}\]]{1,4096}))`
const assigned = String.raw`[\w-]{0,40}["']?\s{0,4}[:=]\s{0,4}`
const names =
  'api[_-]?key|access[_-]?key|private[_-]?key|password|passwd|passphrase|secret|credential|authorization'

/** Each has the secret as a group. No pattern can start twice in one run of characters, so all are linear in the text. */
const patterns: readonly RegExp[] = [
  /(?<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$))/g,
  /\b(?:Bearer|Basic)\s{1,4}(?<secret>[\w.~+/=-]{6,})/gi,
  /(?<![\w-])(?<secret>(?:rpa_|sk-|key_|api_|hf_|gh[pousr]_|github_pat_|npm_|xox[abprs]-)[\w-]{20,})/g,
  /(?<![\w-])(?<secret>AKIA[A-Z0-9]{16})\b/g,
  /(?<![\w-])(?<secret>eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})/g,
  /:\/\/[^\s/:@]{0,100}:(?<secret>[^\s/@]{1,200})@/g,
  /[?&](?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|sig|signature|key)=(?<secret>[^&\s"'#]+)/gi,
  // The value may be a scheme, whose own pattern has been there.
  new RegExp(`(?:${names})${assigned}(?!["']?(?:Bearer|Basic)\\b)${valueOf}`, 'gi'),
  // A number of tokens is no secret.
  new RegExp(`token${assigned}(?!["']?[\\d.]{1,12}(?![\\w-]))${valueOf}`, 'gi'),
]

/**
 * A function that takes secrets out of text before it reaches a log, a file or an error's body.
 *
 * - `secrets`: the values themselves, wherever they stand; what only looks like a secret is found without them.
 * - long ones keep four characters at each end, the others become `[redacted]`.
 */
export function createRedact(secrets: Iterable<string> = []): Redact {
  // Longest first: one secret may be a part of another.
  const known = [...new Set(secrets)]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
  return (text) => {
    let clean = text
    for (const secret of known) clean = clean.replaceAll(secret, () => mask(secret))
    for (const pattern of patterns) clean = clean.replace(pattern, maskMatch)
    return clean
  }
}

/** Takes out what looks like a secret. */
export const redact: Redact = /* @__PURE__ */ createRedact()

const secretName =
  /^(?:(?:x-)?api[_-]?key|.*(?:password|passwd|passphrase|secret|token|credentials?|private[_-]?key)|authorization|(?:set-)?cookie)$/i

/** A copy of plain data for a log: texts redacted, fields with a secret's name emptied. */
export function redactData(value: unknown, clean: Redact = redact): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map((item) => redactData(item, clean))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    isSecret(key, item) ? '[redacted]' : redactData(item, clean),
  ])
  return Object.fromEntries(entries)
}

function isSecret(key: string, value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && secretName.test(key)
}

function maskMatch(match: string, ...more: unknown[]): string {
  const groups = more.at(-1) as Record<string, string | undefined>
  const secret = groups.secret ?? groups.single ?? groups.bare ?? ''
  if (secret.includes('[redacted') || secret.includes('…')) return match
  const at = match.lastIndexOf(secret)
  return match.slice(0, at) + mask(secret) + match.slice(at + secret.length)
}

function mask(secret: string): string {
  if (secret.length < LONG || /\s/.test(secret)) return '[redacted]'
  return `${secret.slice(0, KEPT)}…${secret.slice(-KEPT)}`
}
