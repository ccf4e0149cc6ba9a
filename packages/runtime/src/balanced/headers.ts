/** Headers between two neighbours on the way, and those that whoever sends works out by itself. */
const ofTheConnection = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** A copy of what is for the other end, without `more`. */
export function endToEnd(headers: Headers, more: readonly string[] = []): Headers {
  const copy = new Headers(headers)
  for (const name of [...ofTheConnection, ...more]) copy.delete(name)
  return copy
}
