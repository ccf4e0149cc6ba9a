import { incomingOf } from './incoming.ts'

/** What a preview shows to the handler that it makes. */
export type PreviewToken = object

const issued = new WeakSet<PreviewToken>()

/** A token for one handler of this process. Nothing outside of it can make one: no variable, no option, no request. */
export function issuePreviewToken(): PreviewToken {
  const token = Object.freeze({})
  issued.add(token)
  return token
}

/** Whether the token is one of ours that was not used before. */
export function redeemPreviewToken(token: PreviewToken | undefined): boolean {
  return token !== undefined && issued.delete(token)
}

const localNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Headers with which proxies and tunnels say for whom they ask. */
const passedOn =
  /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|x-cluster-client-ip|cf-.*|fly-.*|x-original-.*|x-amzn-.*)$/

/**
 * Whether a request was made on this machine, to this machine, with nothing in between: the socket is loopback,
 * the host is asked for by a loopback name, and no proxy shows that it passed the request on.
 */
export function isLocalVisitor(request: Request): boolean {
  const { headers } = request
  const incoming = incomingOf(request)
  if (!isLoopback(incoming?.socket.remoteAddress)) return false
  // Browsers have not spoken it for long; a proxy may, and then say nothing of itself.
  if (incoming?.httpVersion === '1.0') return false
  if (!localNames.has(hostName(headers.get('host') ?? new URL(request.url).host))) return false
  return ![...headers.keys()].some((name) => passedOn.test(name.toLowerCase()))
}

function hostName(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
}

/** True for 127.0.0.0/8, ::1 and their mapped forms; a socket that closed already has no address. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || /^(?:::ffff:)?127\./.test(address))
}
