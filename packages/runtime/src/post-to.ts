import type { Post } from './types.ts'

const headers = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }

/** - `prefix`: the path of a page's routes, or their URL on another origin. */
export const postTo =
  (prefix: string): Post =>
  (route, body, how) =>
    // Also with cookies when the routes are of another origin, which has to list that of the page.
    fetch(`${prefix}/rpc/${route}`, { method: 'POST', headers, body, credentials: 'include', ...how })
