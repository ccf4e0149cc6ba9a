import type { WebStub } from './types.ts'

const verbs = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const

/** A web app from the two members that do something. */
export function toWeb(fetch: WebStub['fetch'], connect: WebStub['connect']): WebStub {
  const web = { fetch, connect } as WebStub
  for (const verb of verbs) web[verb] = (path, init) => fetch(path, { ...init, method: verb.toUpperCase() })
  return web
}
