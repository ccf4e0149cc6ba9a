import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@flash/protocol'
import { isMovable } from '../clock.ts'
import type { Account } from '../control/types.ts'
import type { Endpoints, RunningEndpoint } from '../endpoints/types.ts'
import type { Faults } from '../faults.ts'
import { isPage } from '../gate.ts'
import { type Answer, notAllowed, refusal, refusalOf, send, toAnswer } from '../http/answer.ts'
import { ClientGone, readBody } from '../http/body.ts'
import { isRecord, parseJson } from '../http/json.ts'
import { queryValue, type Target } from '../http/target.ts'
import { parseFault } from './fault.ts'

export interface OwnHost {
  account: Account
  endpoints: Endpoints
  faults: Faults
  clock: Clock
  onError(error: unknown): void
  /** Variables of a client. */
  env(): Record<string, string>
  /** Variables of a worker that somebody starts by hand. */
  workerEnv(endpoint: RunningEndpoint): Record<string, string> | Promise<Record<string, string>>
}

interface Visit {
  host: OwnHost
  request: IncomingMessage
  /** What follows the name of the route. */
  rest: string[]
  query: string
}

type Route = Record<string, (visit: Visit) => Answer | Promise<Answer>>

const MAX_BODY_BYTES = 64_000
const YEAR_MS = 31_536_000_000

/** By the first segment below `/_emulator`, then by method. */
const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['env', { GET: showEnv }],
  ['state', { GET: showState }],
  ['faults', { GET: listFaults, POST: addFault, DELETE: removeFaults }],
  ['clock', { GET: ({ host }) => toAnswer({ now: host.clock.now() }), POST: moveClock }],
  ['workers', { PUT: announceWorker }],
])

/** What the emulator has besides Runpod's own interfaces, for tests and for those who look at it. */
export async function answerOwn(
  host: OwnHost,
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    send(response, refuse(host, request) ?? (await handle(host, target, request)))
  } catch (error) {
    if (error instanceof ClientGone) return void response.destroy()
    const known = refusalOf(error)
    if (!known) host.onError(error)
    send(response, known ?? refusal(500, 'internal error'))
  }
}

function refuse({ account }: OwnHost, { headers }: IncomingMessage): Answer | undefined {
  if (!account.accepts(headers.authorization ?? null)) return unauthorized
  return isPage(headers) ? refusal(403, 'pages may not use this route') : undefined
}

function handle(
  host: OwnHost,
  { segments: [name = '', ...rest], query }: Target,
  request: IncomingMessage,
): Answer | Promise<Answer> {
  const route = routes.get(name)
  if (!route) return refusal(404, 'not found')
  const { method = '' } = request
  if (!Object.hasOwn(route, method)) return notAllowed(Object.keys(route))
  return route[method]!({ host, request, rest, query })
}

const unauthorized = refusal(401, 'unauthorized: send the API key as "Authorization: Bearer <key>"')

async function showEnv({ host, query }: Visit): Promise<Answer> {
  const id = queryValue(query, 'endpoint')
  if (id === null) return toAnswer(host.env())
  const endpoint = host.endpoints.get(id)
  return endpoint ? toAnswer(await host.workerEnv(endpoint)) : refusal(404, `there is no endpoint "${id}"`)
}

function showState({ host: { account, endpoints, faults, clock } }: Visit): Answer {
  return toAnswer({
    now: clock.now(),
    endpoints: endpoints.list().map((endpoint) => {
      const { id, name, kind, version } = endpoint.spec
      return {
        id,
        name,
        kind,
        version,
        ...endpoint.queue.health(endpoint.counts()),
        running: endpoint.workers(),
      }
    }),
    faults: faults.list(),
    account: account.snapshot(),
  })
}

function listFaults({ host }: Visit): Answer {
  return toAnswer({ faults: host.faults.list() })
}

async function addFault({ host, request }: Visit): Promise<Answer> {
  return toAnswer(host.faults.add(parseFault(await readJson(request))), 201)
}

function removeFaults({ host: { faults }, rest: [id] }: Visit): Answer {
  if (id !== undefined && !faults.list().some((fault) => fault.id === id))
    return refusal(404, `there is no fault "${id}"`)
  faults.remove(id)
  return { status: 204 }
}

async function moveClock({ host: { clock }, request }: Visit): Promise<Answer> {
  if (!isMovable(clock)) return refusal(409, 'this emulator runs in real time: its clock cannot be moved')
  const body = await readJson(request)
  const ms = isRecord(body) ? body.advanceMs : undefined
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= YEAR_MS))
    return refusal(400, `advanceMs is ${JSON.stringify(ms)}, it must be milliseconds from 0 to ${YEAR_MS}`)
  clock.advance(ms)
  return toAnswer({ now: clock.now() })
}

async function announceWorker({
  host,
  request,
  rest: [endpointId = '', workerId = ''],
}: Visit): Promise<Answer> {
  const endpoint = host.endpoints.get(endpointId)
  if (!endpoint) return refusal(404, `there is no endpoint "${endpointId}"`)
  if (endpoint.spec.kind !== 'balanced')
    return refusal(400, 'workers of a queue endpoint announce themselves by asking for jobs')
  if (!/^[\w.-]{1,128}$/.test(workerId)) return refusal(400, 'the id of the worker cannot be read')
  const body = await readJson(request)
  const url = isRecord(body) ? body.url : undefined
  if (typeof url !== 'string' || !/^http:\/\//i.test(url) || !URL.canParse(url))
    return refusal(400, `url is ${JSON.stringify(url)}, it must be a URL with http`)
  endpoint.announce(workerId, new URL(url).origin)
  return { status: 204 }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  return parseJson(await readBody(request, MAX_BODY_BYTES))
}
