import { runsInServer } from '@flash/protocol'
import type { Calling, FoundFunction } from '../types.ts'
import { type Edit, factOf, useImport } from './edit.ts'

const clientModule = 'virtual:flash/client'
/** Finds the development server by itself. */
const localModule = 'unplugin-flash/client'
/** In the bundles of workers: finds the queue of the other endpoint. */
const callsModule = 'unplugin-flash/internal/calls'
/** In workers: makes the routes of the server of the app say that they are not there. */
const defineModule = 'unplugin-flash/internal/define'
/** In what a build makes for servers: bound to the functions and the key of the app. */
const builtModule = 'virtual:flash/server'

/** Where a stub on a server lives: in an app that a dev server compiled (`root`), in one that was built, or in its worker. */
export type StubPlace = { in: 'app'; root: string | undefined } | { in: 'worker' }

/** What kinds of stubs there are. */
type Form = 'plain' | 'class' | 'web' | 'route' | 'socket'

const clientNames: Record<Form, string> = {
  plain: 'stub',
  class: 'flashClass',
  web: 'web',
  route: 'route',
  socket: 'socket',
}
const serverNames: Record<Form, string> = {
  plain: 'serverStub',
  class: 'serverClass',
  web: 'serverWeb',
  route: 'serverRoute',
  socket: 'serverSocket',
}
/** What they are called where they are used. */
const localNames: Record<Form, string> = {
  plain: '__flash_stub',
  class: '__flash_class',
  web: '__flash_web',
  route: '__flash_route',
  socket: '__flash_socket',
}

/** What stands in a browser for a function. */
export function clientStub(edit: Edit, found: FoundFunction, tag: string): string {
  const form = formOf(found)
  const name = useImport(edit, clientModule, clientNames[form], localNames[form])
  return stubCall(name, [`${found.id}.${tag}`, ...shapeOf(found, form)])
}

/** What stands on a server, or in a worker for what is not its own. */
export function serverStub(edit: Edit, found: FoundFunction, place: StubPlace = { in: 'worker' }): string {
  const { endpoint, path, at } = factOf(edit, found)
  if (runsInServer(found)) return stubOfServer(edit, found)
  const root = place.in === 'app' ? place.root : undefined
  const serverModule = place.in === 'app' && root === undefined ? builtModule : localModule
  return stubFrom(edit, found, serverModule, { name: endpoint, at: `${path}:${at.line}`, root })
}

/** What stands in the bundle of another endpoint, with all that a call has to know of the function. */
export function calledStub(edit: Edit, found: FoundFunction, calling: Calling): string {
  const { endpoint, path, at, exportPath, kind, callables, constructorParams, hasInput, setup, route } =
    factOf(edit, found)
  // Whether there is state says how many arguments there are; which state it is stays with its endpoint.
  const fn = { exportPath, kind, callables, constructorParams, hasInput, setup: setup && '', route }
  return stubFrom(edit, found, callsModule, { name: endpoint, at: `${path}:${at.line}`, ...calling, fn })
}

function stubFrom(edit: Edit, found: FoundFunction, module: string, info: object): string {
  const form = formOf(found)
  const name = useImport(edit, module, serverNames[form], localNames[form])
  const shape = shapeOf(found, form)
  return stubCall(name, [found.id, ...(form === 'plain' && shape.length === 0 ? [0] : shape), info])
}

/** What stands in a browser for a client of an endpoint, and where routes are elsewhere for what they are made with: nothing of the call. */
export function clientOfNothing(edit: Edit): string {
  return `/* @__PURE__ */ ${useImport(edit, localModule, 'noClient', '__flash_no_client')}()`
}

/** What stands in a worker for a route of the server of the app: nobody there knows where that is. */
function stubOfServer(edit: Edit, found: FoundFunction): string {
  const { exportPath, path, at } = factOf(edit, found)
  const name = useImport(edit, defineModule, 'routeOfServer', '__flash_route_of_server')
  return stubCall(name, [exportPath, `${path}:${at.line}:${at.column}`])
}

function formOf({ kind, route }: FoundFunction): Form {
  if (route) return route.method === 'WS' ? 'socket' : 'route'
  return kind === 'class' || kind === 'web' ? kind : 'plain'
}

/** What a stub has to know to send a call. */
function shapeOf(found: FoundFunction, form: Form): (string | number)[] {
  switch (form) {
    case 'class':
      return [methodList(found)]
    case 'route':
      return [found.route!.method, found.route!.path]
    case 'socket':
      return [found.route!.path]
    case 'web':
      return []
    case 'plain':
      return found.kind === 'generator' ? [1] : []
  }
}

function stubCall(name: string, given: unknown[]): string {
  return `/* @__PURE__ */ ${name}(${given.map((one) => JSON.stringify(one)).join(', ')})`
}

/** `load,*tokens`: a star marks a generator. */
function methodList({ callables }: FoundFunction): string {
  return callables.map(({ name, kind }) => (kind === 'generator' ? `*${name}` : name)).join(',')
}
