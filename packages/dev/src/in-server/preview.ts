import type { IncomingMessage } from 'node:http'
import { AppError, type Manifest } from '@flash/protocol'
import type { Capability } from '@flash/server'
import type { Middleware } from '../routes/app.ts'
import { type OnInternal, refuse } from '../routes/problem.ts'

export interface PreviewRoutes {
  /** Whether a call of a page is for a route that the app's own server runs: it has a tag of this build, and no bundle has its function. */
  isOne(url: string): boolean
  /** Answers such calls where no other part of the preview did. */
  refuse: Middleware
}

/** Routes with `local: true` in a preview, which is no server of the app: another plugin's may be mounted in it. */
export function createPreviewRoutes(
  { endpoints }: Manifest,
  capability: Pick<Capability, 'matches'>,
  { prefix, onInternal }: { prefix: string; onInternal: OnInternal },
): PreviewRoutes {
  const ids = new Set(Object.values(endpoints).flatMap(({ functions }) => functions.map(({ id }) => id)))
  const isOne = (url: string) => {
    const path = url.startsWith(`${prefix}/rpc/`) ? url.slice(prefix.length + 5) : ''
    const [, id, tag] = /^([^./?]{1,64})\.([a-z2-7]{16})(?:\?|$)/.exec(path) ?? []
    return id !== undefined && tag !== undefined && !ids.has(id) && capability.matches(id, tag)
  }
  return {
    isOne,
    refuse(request, response, next) {
      if (isOne(urlOf(request))) refuse(response, noServer(), onInternal)
      else next()
    },
  }
}

function urlOf(request: IncomingMessage): string {
  return (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
}

function noServer(): AppError {
  return new AppError('LOCAL_NEEDS_SERVER', {
    message:
      'the function is in none of the bundles: a route with `local: true` runs in the server of the app, and this preview has none',
    hint: 'start the server that the build made; where the function was renamed or removed since, reload the page',
  })
}
