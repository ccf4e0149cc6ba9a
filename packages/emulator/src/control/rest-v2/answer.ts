import { isSameKey, parseKey } from '../authorization.ts'
import type { AccountContext } from '../store.ts'
import { toJson, toProblem, toRefusal } from './answers.ts'
import { catalogRoutes } from './catalog.ts'
import { podRoutes } from './pods.ts'
import type { Rates } from './rates.ts'
import { createFinder, createVisit, type Routes } from './router.ts'
import { serverlessRoutes } from './serverless.ts'
import { list, object, text } from './shape.ts'
import { globalVolumeRoutes, networkVolumeRoutes, registryRoutes } from './storage.ts'
import { templateRoutes } from './templates.ts'

const sshKey = text({ pattern: /^(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?$/ })

const accountRoutes: Routes = {
  'GET /account/ssh-keys': ({ ctx }) => toJson({ keys: ctx.store.sshKeys }),
  async 'PUT /account/ssh-keys'({ ctx, body }) {
    const { keys } = await body<{ keys: string[] }>(object({ keys: list(sshKey) }, ['keys']))
    ctx.store.sshKeys = keys
    return toJson({ keys })
  },
}

const find = createFinder({
  ...serverlessRoutes,
  ...templateRoutes,
  ...networkVolumeRoutes,
  ...globalVolumeRoutes,
  ...registryRoutes,
  ...catalogRoutes,
  ...podRoutes,
  ...accountRoutes,
})

/** What stands at the first place below `/v2` and is no endpoint's id. */
const resources =
  /^\/(?:account|billing|catalog|clusters|global-volumes|network-volumes|pods|registries|serverless|templates)(?:\/|$)/

/** Answers what is below `/v2` and the account's; `null` for all else. */
export async function answerRestV2(
  ctx: AccountContext,
  rates: Rates,
  request: Request,
  path: string,
): Promise<Response | null> {
  if (!path.startsWith('/v2/')) return null
  const below = path.slice('/v2'.length)
  if (!resources.test(below)) return null
  if (!isSameKey(parseKey(request.headers.get('authorization')), ctx.apiKey))
    return toProblem(401, 'missing or wrong bearer token')
  const { headers, exceeded } = rates.count()
  const response = exceeded
    ? toProblem(429, `rate limit exceeded for the ${exceeded.window} window`, {
        headers: { 'retry-after': `${exceeded.retryAfterSeconds}` },
      })
    : await route(ctx, request, below)
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}

async function route(ctx: AccountContext, request: Request, path: string): Promise<Response> {
  const { handler, ids, allowed } = find(request.method, path)
  if (!handler && allowed.length === 0) return toProblem(404, `there is nothing at /v2${path.slice(0, 100)}`)
  if (!handler)
    return toProblem(405, 'The requested method is not allowed for this path.', {
      headers: { allow: allowed.join(', ') },
    })
  try {
    return await handler(createVisit(ctx, request, ids))
  } catch (error) {
    return toRefusal(error)
  }
}
