import type { Calling, FoundFunction } from '../types.ts'
import { type Edit, factOf, useImport } from './edit.ts'

const clientModule = 'virtual:flash/client'
/** Finds the development server by itself. */
const localModule = 'unplugin-flash/client'
/** In the bundles of workers: finds the queue of the other endpoint. */
const callsModule = 'unplugin-flash/internal/calls'
/** In what a build makes for servers: bound to the functions and the key of the app. */
const builtModule = 'virtual:flash/server'

/** Where a stub on a server lives: in an app that a dev server compiled (`root`), in one that was built, or in its worker. */
export type StubPlace = { in: 'app'; root: string | undefined } | { in: 'worker' }

/** What stands in a browser for a function. */
export function clientStub(edit: Edit, found: FoundFunction, tag: string): string {
  const id = `${found.id}.${tag}`
  return stubCall(found, id, (isClass) =>
    isClass
      ? useImport(edit, clientModule, 'flashClass', '__flash_class')
      : useImport(edit, clientModule, 'stub', '__flash_stub'),
  )
}

/** What stands on a server, or in the worker of another endpoint. */
export function serverStub(edit: Edit, found: FoundFunction, place: StubPlace = { in: 'worker' }): string {
  const { endpoint, path, at } = factOf(edit, found)
  const root = place.in === 'app' ? place.root : undefined
  const serverModule = place.in === 'app' && root === undefined ? builtModule : localModule
  return stubFrom(edit, found, serverModule, { name: endpoint, at: `${path}:${at.line}`, root })
}

/** What stands in the bundle of another endpoint, with all that a call has to know of the function. */
export function calledStub(edit: Edit, found: FoundFunction, calling: Calling): string {
  const { endpoint, path, at, exportPath, kind, callables, constructorParams, hasInput, setup } = factOf(
    edit,
    found,
  )
  // Whether there is state says how many arguments there are; which state it is stays with its endpoint.
  const fn = { exportPath, kind, callables, constructorParams, hasInput, setup: setup && '' }
  return stubFrom(edit, found, callsModule, { name: endpoint, at: `${path}:${at.line}`, ...calling, fn })
}

function stubFrom(edit: Edit, found: FoundFunction, module: string, info: object): string {
  return stubCall(
    found,
    found.id,
    (isClass) =>
      isClass
        ? useImport(edit, module, 'serverClass', '__flash_class')
        : useImport(edit, module, 'serverStub', '__flash_stub'),
    JSON.stringify(info),
  )
}

/** What stands in a browser for a client of an endpoint: nothing of the call itself. */
export function clientOfNothing(edit: Edit): string {
  return `/* @__PURE__ */ ${useImport(edit, localModule, 'noClient', '__flash_no_client')}()`
}

function stubCall(
  found: FoundFunction,
  id: string,
  nameOf: (isClass: boolean) => string,
  info?: string,
): string {
  const given = [JSON.stringify(id)]
  if (found.kind === 'class') given.push(JSON.stringify(methodList(found)))
  else if (found.kind === 'generator') given.push('1')
  else if (info) given.push('0')
  if (info) given.push(info)
  return `/* @__PURE__ */ ${nameOf(found.kind === 'class')}(${given.join(', ')})`
}

/** `load,*tokens`: a star marks a generator. */
function methodList({ callables }: FoundFunction): string {
  return callables.map(({ name, kind }) => (kind === 'generator' ? `*${name}` : name)).join(',')
}
