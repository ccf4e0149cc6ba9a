import { staticMiddleware } from 'srvx/static'
import type { AppFacts } from './facts.ts'

export interface StaticFilesOptions {
  /** The folder of the built app. */
  dist: string
  /** Path below which the app is, such as `/` or `/app/`. */
  base: string
  appType: AppFacts['appType']
}

/** What a stub never asks for: pages and files. */
export type StaticFiles = (request: Request) => Promise<Response>

const YEAR_SECONDS = 31_536_000

/**
 * Serves a built app: files with ETag and ranges, compressed where that helps, files whose names hold a hash for a year.
 * Files and folders whose names begin with a dot are not served, but for `.well-known`.
 */
export function createStaticFiles({ dist, base, appType }: StaticFilesOptions): StaticFiles {
  const files = staticMiddleware({ dir: dist, encodings: true })
  const find = async ({ method, headers, url }: Request, pathname: string) => {
    // The middleware reads no more than this of a request.
    const view = { method, headers, url: new URL(url).origin + pathname } as Parameters<typeof files>[0]
    const none = new Response(null, { status: 404 })
    const found = await files(view, () => none)
    return found === none ? undefined : found
  }
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, { allow: 'GET, HEAD' })
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith(base)) return outside(pathname, base)
    const path = pathname.slice(base.length - 1)
    const found = await find(request, path)
    if (found) return cached(found, isHashed(path))
    const page = appType === 'spa' && isNavigation(request, path) && (await find(request, '/index.html'))
    return page ? cached(page, false) : plain(404)
  }
}

function outside(pathname: string, base: string): Response {
  return pathname === '/' || `${pathname}/` === base ? plain(302, { location: base }) : plain(404)
}

function plain(status: number, headers: Record<string, string> = {}): Response {
  const text = { 302: 'moved', 404: 'not found', 405: 'not allowed' }[status]
  return new Response(`${text}\n`, {
    status,
    headers: { 'content-type': 'text/plain;charset=utf-8', 'cache-control': 'no-cache', ...headers },
  })
}

function cached(response: Response, immutable: boolean): Response {
  response.headers.set('cache-control', immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache')
  response.headers.set('x-content-type-options', 'nosniff')
  return response
}

/**
 * Whether the name of a file changes with its content, as in `assets/index-BVh2Ry1A.js`.
 * Files of `public/assets` have names of people, which change in another way: `photo-original.png`, `log-20261101.txt`.
 */
function isHashed(path: string): boolean {
  const [, hash = ''] = /^\/assets\/.*-([\w-]{8})\.\w+(?:\.map)?$/.exec(path) ?? []
  const isMixed = /[a-z]/.test(hash) && /[A-Z]/.test(hash)
  return isMixed && !/^[A-Z]?[a-z]+(?:[A-Z][a-z]+)*$/.test(hash)
}

/** Somebody wants to see a page, and not a script, an image or data that is missing. */
function isNavigation({ headers }: Request, path: string): boolean {
  if (path.startsWith('/assets/')) return false
  const mode = headers.get('sec-fetch-mode')
  if (mode !== null) return mode === 'navigate'
  const accept = headers.get('accept') ?? '*/*'
  return (
    accept.includes('text/html') ||
    (accept.includes('*/*') && !path.slice(path.lastIndexOf('/')).includes('.'))
  )
}
