import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { NodeRequest, sendNodeResponse } from 'srvx/node'
import type { BalancedPlane } from './balanced/plane.ts'
import { refuseUpgrade } from './balanced/upgrade.ts'
import type { DataPlane } from './data/plane.ts'
import { refusePage } from './gate.ts'
import { type Answer, refusal, send, sendTruncated } from './http/answer.ts'
import { type PlaneHost, takeDamage, takeRefusal } from './http/run.ts'
import { type HostName, parseHost, parseTarget, type Target } from './http/target.ts'
import { answerOwn, type OwnHost } from './own/routes.ts'
import { findPlace, type Place } from './routes.ts'
import type { ServerHost } from './server.ts'
import type { WorkerKeys } from './worker/key.ts'
import { isWorkerOperation, type WorkerPlane } from './worker/plane.ts'

export interface RouterHost extends PlaneHost, OwnHost {
  keys: WorkerKeys
  data: DataPlane
  worker: WorkerPlane
  balanced: BalancedPlane
  /** The server listens for other machines. */
  isOpen: boolean
}

/** Leads each request of the one port to whoever answers it. */
export function createRouter(host: RouterHost): ServerHost {
  const find = createFinder(host)
  return {
    answer(request, response) {
      // A caller that breaks off is no error of the emulator's.
      request.on('error', () => {})
      response.on('error', () => {})
      void answer(host, find(request), request, response).catch((error: unknown) => {
        host.onError(error)
        if (response.headersSent) response.destroy()
        else send(response, refusal(500, 'internal error'))
      })
    },
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      void upgrade(host, find(request), { request, socket, head }).catch((error: unknown) => {
        host.onError(error)
        refuseUpgrade(socket, refusal(500, 'internal error'))
      })
    },
  }
}

function createFinder(host: RouterHost): (request: IncomingMessage) => Place {
  const routes = { get: host.endpoints.get, lookUp: host.account.lookUp }
  const hostNameOf = rememberLast(parseHost)
  return ({ headers, url }) => {
    const target = parseTarget(url)
    if (!target) return refused(noAddress)
    const name = hostNameOf(headers.host)
    if (!name) return refused(noHost)
    const header = (one: string) => headers[one] as string | undefined
    const place = findPlace(routes, name, target, header)
    const answer = refuse(host, place, { headers, name, target })
    return answer ? refused(answer) : place
  }
}

/** Why a request must not go where it wants to. */
function refuse(
  host: RouterHost,
  place: Place,
  { headers, name, target }: { headers: IncomingHttpHeaders; name: HostName; target: Target },
): Answer | undefined {
  // The account reads whole URLs.
  if (place.kind === 'control' && !URL.canParse(`http://${headers.host || 'localhost'}`)) return noHost
  // Who answers at an address of its own says itself which pages may call it, and there is no key in a browser.
  const page = place.kind === 'balanced' && name.isLocal ? undefined : refusePage(headers, name, host.isOpen)
  if (page) return page
  if (isOfGoneEndpoint(host, place, target, headers.authorization)) return noEndpoint
  return mayCall(host, place, headers.authorization) ? undefined : unauthorized
}

/** Nearly all requests have the header that the one before had. */
function rememberLast(parse: (header: string | undefined) => HostName | null) {
  let last: { header: string | undefined; name: HostName | null } | null = null
  return (header: string | undefined) => {
    if (last?.header !== header || last === null) last = { header, name: parse(header) }
    return last.name
  }
}

/** The account and the own routes check for themselves: some of what they have is for everybody. */
function mayCall({ account, keys }: RouterHost, place: Place, authorization: string | undefined): boolean {
  // Whoever has no key is not told what exists.
  if (place.kind === 'refused') return account.accepts(authorization ?? null)
  if (!('endpoint' in place)) return true
  const { id } = place.endpoint.spec
  if (place.kind === 'worker' && keys.fits(authorization, id)) return true
  return account.accepts(authorization ?? null, id)
}

/** A worker that outlives its endpoint has a good key: the endpoint is what is missing. */
function isOfGoneEndpoint(
  { keys }: RouterHost,
  place: Place,
  { segments: [, id = '', operation] }: Target,
  authorization: string | undefined,
): boolean {
  return place.kind === 'control' && isWorkerOperation(operation) && keys.fits(authorization, id)
}

const noAddress = refusal(400, 'the address cannot be read')
const noHost = refusal(400, 'the host cannot be read')
const unauthorized = refusal(401, 'unauthorized')
const noEndpoint = refusal(404, 'endpoint not found')

function refused(answer: Answer): Place {
  return { kind: 'refused', answer }
}

async function answer(
  host: RouterHost,
  place: Place,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (place.kind) {
    case 'worker':
      return host.worker.answer(place.endpoint, place.target, request, response)
    case 'data':
      return host.data.answer(place.endpoint, place.target, request, response)
    case 'balanced':
      return host.balanced.answer(place.endpoint, place.path, request, response)
    case 'own':
      return answerOwn(host, place.target, request, response)
    case 'control':
      return answerAccount(host, request, response)
    case 'refused':
      return send(response, place.answer)
  }
}

async function upgrade(
  host: RouterHost,
  place: Place,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<void> {
  if (place.kind === 'balanced')
    return host.balanced.upgrade(place.endpoint, place.path, request, socket, head)
  const answer = place.kind === 'refused' ? place.answer : refusal(400, 'no other protocol is spoken here')
  refuseUpgrade(socket, answer)
}

async function answerAccount(
  { account, faults }: RouterHost,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const place = { plane: 'control' } as const
  const refusedBy = takeRefusal(faults, place)
  if (refusedBy) return send(response, refusedBy)
  const answer = await account.fetch(new NodeRequest({ req: request, res: response }))
  if (!answer)
    return send(response, notThere(account.accepts(request.headers.authorization ?? null), request.url))
  const damage = takeDamage(faults, place)
  if (!damage) return sendNodeResponse(response, answer)
  if (damage === 'truncatedBody') return sendHalf(response, answer)
  await answer.body?.cancel()
  response.destroy()
}

/** What is no JSON may have no end, or be too long to be held. */
async function sendHalf(response: ServerResponse, answer: Response): Promise<void> {
  const headers = Object.fromEntries(answer.headers)
  const { status } = answer
  if (headers['content-type']?.includes('json'))
    return sendTruncated(response, { status, body: await answer.text(), headers })
  const reader = answer.body?.getReader()
  const first = await reader?.read()
  response.writeHead(status, headers)
  response.write(first?.value?.subarray(0, first.value.length >> 1) ?? '', () => response.destroy())
  await reader?.cancel()
}

function notThere(isKnown: boolean, url = ''): Answer {
  if (!isKnown) return unauthorized
  const [, id] = /^\/v2\/([\w-]{1,80})(?:[/?]|$)/.exec(url) ?? []
  return refusal(
    404,
    id ? `endpoint not found: ${id}; GET /_emulator/state shows those that exist` : 'not found',
  )
}
