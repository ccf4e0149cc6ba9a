/** Which paths belong to the route. */
export interface Prefix {
  /** What follows `rpc/`; nothing for a path that is no call. */
  call(pathname: string): string | undefined
  /** Whether the path is the prefix or below it. */
  covers(pathname: string): boolean
}

/**
 * The route's place in an app, as requests name it.
 *
 * - `prefix`: such as `/app/_flash`. Hosts that mount an app below a path may take away that path, or all of the prefix.
 */
export function createPrefix(prefix: string): Prefix {
  const whole = new URL(prefix, 'http://host').pathname
  const name = whole.slice(whole.lastIndexOf('/'))
  const known = [...new Set([whole, name])]
  return {
    call(pathname) {
      const base = [...known, ''].find((base) => pathname.startsWith(`${base}/rpc/`))
      const rest = base === undefined ? '' : pathname.slice(base.length + '/rpc/'.length)
      return rest === '' || rest.includes('/') ? undefined : rest
    },
    covers: (pathname) => known.some((base) => isBelow(pathname, base)) || pathname.startsWith('/rpc/'),
  }
}

/** Whether a path is another one, or below it. */
export function isBelow(pathname: string, base: string): boolean {
  return pathname === base || pathname.startsWith(`${base}/`)
}
