import type { Callee } from '../execute/call.ts'
import type { CreateSocketServer, SocketHooks, SocketServer, Upgrade } from '../execute/socket-server.ts'
import type { Worker } from '../execute/worker.ts'
import { askWeb } from './ask-web.ts'
import { bindHooks } from './connection.ts'
import { toOwn } from './own.ts'
import { checkPath } from './path.ts'
import { refuse, refuseSocket } from './refusal.ts'
import type { BalancedFunction, Router } from './router.ts'
import { visitOf } from './visit.ts'
import type { Webs } from './webs.ts'

export interface UpgradeHost<F extends BalancedFunction> {
  worker: Worker
  webs: Webs
  route: Router<F>
  load(fn: F): Callee | Promise<Callee>
  /** Made when it is first needed. */
  sockets?: SocketServer
}

/** What a connection is to be. */
interface Opening {
  callee: Callee
  hooks: SocketHooks
}

/** Makes a connection a WebSocket; resolves to an answer where nobody takes it. */
export async function openSocket<F extends BalancedFunction>(
  host: UpgradeHost<F>,
  request: Request,
  upgrade: Upgrade,
): Promise<Response | undefined> {
  checkPath(upgrade.incoming.url!)
  const opening = await findHooks(host, request)
  if (opening instanceof Response) return opening
  const { callee, hooks } = opening
  host.sockets ??= create(callee.definition)
  if (!host.sockets) return refuseSocket(request)
  await host.sockets.open(upgrade, request, bindHooks(host.worker, callee, request, hooks))
  return undefined
}

function create({ createSocketServer }: { createSocketServer?: CreateSocketServer }) {
  return createSocketServer?.()
}

async function findHooks<F extends BalancedFunction>(
  { route, load, worker, webs }: UpgradeHost<F>,
  request: Request,
): Promise<Opening | Response> {
  const visit = visitOf(request)
  const found = route('WS', visit)
  if (found.kind === 'methods') return refuseSocket(request)
  if (found.kind === 'nothing') return refuse(visit, found)
  // Where hooks look for what belongs to their connection.
  Object.assign(request, { context: found.kind === 'route' ? { params: found.params } : {} })
  const callee = await load(found.fn)
  if (found.kind === 'route') return { callee, hooks: Object(callee.definition.body) as SocketHooks }
  const { response, release } = await askWeb(worker, webs, callee, visit)
  if (release) request.signal.addEventListener('abort', release, { once: true })
  const hooks = hooksOf(response, request)
  if (!hooks) return response.ok ? refuseSocket(request) : toOwn(response)
  void response.body?.cancel().catch(() => {})
  return { callee, hooks }
}

/** With its answer, or where a middleware makes answers anew, with the request. */
function hooksOf(response: Response, request: Request): SocketHooks | undefined {
  const onRequest = (request as unknown as { [key: symbol]: SocketHooks | undefined })[
    Symbol.for('crossws.hooks')
  ]
  return (response as { crossws?: SocketHooks }).crossws ?? onRequest
}
