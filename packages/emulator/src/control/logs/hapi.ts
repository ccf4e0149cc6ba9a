import { AppError, errorCodes } from '@flash/protocol'
import type { LogLine, WorkerLog } from '../../endpoints/types.ts'
import { isSameKey, parseKey } from '../authorization.ts'
import type { AccountContext } from '../store.ts'
import { streamLog } from './stream.ts'

/**
 * `GET /v1/pod/{podId}/logs`: all lines that are kept of a worker or pod, or with `stream=true` as events.
 *
 * - `type`: `container`, `system`, or both.
 * - lines start with their time, which clients filter by.
 */
export function answerPodLogs(ctx: AccountContext, request: Request, podId: string): Response {
  if (!isSameKey(parseKey(request.headers.get('authorization')), ctx.apiKey))
    return toJson(401, { error: 'unauthorized' })
  if (request.method !== 'GET') return toJson(405, { error: 'method not allowed, use GET' })
  const find = () => findLog(ctx, podId)
  const isPod = ctx.store.pods.has(podId)
  if (!find() && !isPod) return toJson(404, { error: 'pod not found' })
  const query = new URL(request.url).searchParams
  const type = query.get('type') ?? 'all'
  return query.get('stream') === 'true'
    ? stream(ctx, withSource(request, type), isPod ? null : find)
    : toJson(200, toLines(find()?.lines() ?? [], type))
}

function stream(ctx: AccountContext, request: Request, find: Parameters<typeof streamLog>[2]): Response {
  try {
    return streamLog(ctx, request, find)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return toJson(errorCodes[error.code].status, { error: error.message })
  }
}

function findLog({ endpoints }: AccountContext, workerId: string): WorkerLog | undefined {
  for (const endpoint of endpoints.list()) {
    const log = endpoint.log(workerId)
    if (log) return log
  }
  return undefined
}

function toLines(lines: readonly LogLine[], type: string) {
  const of = (source: LogLine['source']) =>
    type === 'all' || type === source
      ? lines
          .filter((line) => line.source === source)
          .map(({ at, line }) => `${new Date(at).toISOString()} ${line}`)
      : []
  return { system: of('system'), container: of('container') }
}

/** The other streams say `source` where this one says `type`. */
function withSource(request: Request, type: string): Request {
  const url = new URL(request.url)
  if (type !== 'all') url.searchParams.set('source', type)
  return new Request(url, { headers: request.headers, signal: request.signal })
}

function toJson(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}
