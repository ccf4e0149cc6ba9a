import { AppError } from '@flash/protocol'

/**
 * Tells why a request is refused for the page that it comes from; nothing for pages of the served origin and of `allowed`.
 * Browsers say where a page is from and pages cannot change that, so this keeps pages of others from using a visitor's
 * cookies. It does not tell who the visitor is.
 *
 * - `Sec-Fetch-Site`, where the browser sends it, must be `same-origin`; else `Origin` must be the served origin.
 * - the served origin has the scheme and host of the request's URL. A page of `https:` may call a server that sees
 *   `http:`, because something in front of it may have ended TLS; the other way round it may not.
 */
export function checkOrigin({ headers, url }: Request, allowed: ReadonlySet<string>): AppError | undefined {
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  if (origin !== null && allowed.has(origin)) return undefined
  if (site !== null)
    return site === 'same-origin' ? undefined : foreignPage(origin ?? `another site (${site})`)
  if (origin !== null) return isServed(origin, url) ? undefined : foreignPage(origin)
  return noOrigin()
}

function noOrigin(): AppError {
  return new AppError('FORBIDDEN', {
    message: 'the request does not say which page it comes from',
    hint: 'this route is for pages; a server calls the endpoint itself',
  })
}

/**
 * The same for a WebSocket, which browsers open to any server, with the visitor's cookies: the page has to be named.
 *
 * - `mayLack`: whether it may come from a program, which names none.
 */
export function checkSocketOrigin(
  { headers, url }: Request,
  allowed: ReadonlySet<string>,
  mayLack: boolean,
): AppError | undefined {
  const origin = headers.get('origin')
  if (origin === null) return mayLack && !headers.has('sec-fetch-site') ? undefined : noOrigin()
  return allowed.has(origin) || isServed(origin, url) ? undefined : foreignPage(origin)
}

function isServed(origin: string, url: string): boolean {
  const served = new URL(url)
  if (origin === served.origin) return true
  if (served.protocol !== 'http:') return false
  const secured = `https://${served.host}`
  return URL.canParse(secured) && origin === new URL(secured).origin
}

function foreignPage(page: string): AppError {
  return new AppError('FORBIDDEN', {
    message: `a page of ${page} may not call this server`,
    hint: 'call it from a page of this server, or list the origin in `allowedOrigins`; a proxy in front must pass on Host',
  })
}
