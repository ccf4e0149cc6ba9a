import { toWeb } from './to-web.ts'
import type { RouteStub, SocketStub, WebStub } from './types.ts'

type Page = typeof import('./page.ts')

/** The rest is loaded with the first call: a page that shows a button for it costs next to nothing. */
function withPage<T>(use: (page: Page, site: Error) => Promise<T>): Promise<T> {
  const site = new Error()
  return import('./page.ts').then(
    (page) => use(page, site),
    (cause) => {
      // Offline, or after a deployment that removed this build's files.
      throw Object.assign(new Error('a part of the app cannot be loaded', { cause }), { code: 'TRANSPORT' })
    },
  )
}

/**
 * Makes the stubs of routes in a page.
 *
 * - `prefix`: the path of the routes, or their URL on another origin.
 */
export function bindRoute(prefix: string): (ref: string, method: string, path: string) => RouteStub {
  return (ref, method, path) => (options) =>
    withPage((page, site) => page.pageRoute({ prefix, ref }, method, path, options, site))
}

/** The same for web apps. */
export function bindWeb(prefix: string): (ref: string) => WebStub {
  return (ref) =>
    toWeb(
      (input, init) => withPage((page, site) => page.pageFetch({ prefix, ref }, input, init, site)),
      (path, options) => withPage((page, site) => page.pageConnect({ prefix, ref }, path, options, site)),
    )
}

/** The same for WebSockets. */
export function bindSocket(prefix: string): (ref: string, path: string) => SocketStub {
  return (ref, path) => ({
    connect: (options) => withPage((page, site) => page.pageSocket({ prefix, ref }, path, options, site)),
  })
}
