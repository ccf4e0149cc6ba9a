import { AppError, runsInServer, type ServerFacts, type ServerFunction } from '@flash/protocol'
import type { UnpluginOptions } from 'unplugin'
import type { PluginContext } from '../context.ts'
import { toHostError } from '../host-error.ts'
import { consumerOf } from './transform.ts'

/** Modules that exist only while something is compiled. */
const sources: Record<string, (context: PluginContext) => string> = {
  'virtual:flash/client': clientModule,
  'virtual:flash/server': serverModule,
  'virtual:flash/handler': handlerModule,
  'virtual:flash/facts': factsModule,
}

/** What only code on a server may hold. */
const PRIVATE = /^\0virtual:flash\/(?:server|handler|facts|routes\/\w+)$/

/** The routes of one module that the server runs itself. */
const ROUTES = 'virtual:flash/routes/'

/** `virtual:flash/…`: the runtime of stubs, bound to this app. */
export function serveModules(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:modules',
    enforce: 'pre',
    resolveId: {
      filter: {
        id: /^(?:virtual:flash\/(?:client|server|handler|facts|routes\/\w+)|unplugin-flash\/server)$/,
      },
      handler(id) {
        if (id !== 'unplugin-flash/server') return `\0${id}`
        // While developing, the dev server answers instead of a handler.
        return context.command === 'build' && !context.testing ? '\0virtual:flash/handler' : null
      },
    },
    load: {
      filter: { id: /^\0virtual:flash\// },
      async handler(id) {
        if (PRIVATE.test(id) && consumerOf(context, this) === 'client')
          throw toHostError(clientOnly(id.slice(1)), context.root)
        await context.scanned
        const name = id.slice(1)
        return name.startsWith(ROUTES)
          ? routesModule(context, name.slice(ROUTES.length))
          : sources[name]!(context)
      },
    },
  }
}

function clientOnly(module: string): AppError {
  return new AppError('CLIENT_LEAK', {
    message: `${module} holds the key of the project, and code for the browser imports it`,
    hint: 'import "unplugin-flash/server" only in code that runs on a server',
  })
}

function clientModule({ prefix, options: { apiBase } }: PluginContext): string {
  const address = JSON.stringify(apiBase === undefined ? prefix : `${apiBase.replace(/\/+$/, '')}/_flash`)
  return [
    "import { bindClass, bindRoute, bindSocket, bindStub, bindWeb } from 'unplugin-flash/client'",
    `export const stub = /* @__PURE__ */ bindStub(${address})`,
    `export const flashClass = /* @__PURE__ */ bindClass(${address})`,
    `export const web = /* @__PURE__ */ bindWeb(${address})`,
    `export const route = /* @__PURE__ */ bindRoute(${address})`,
    `export const socket = /* @__PURE__ */ bindSocket(${address})`,
  ].join('\n')
}

function serverModule(): string {
  return [
    "import { bindServer } from 'unplugin-flash/internal/gateway'",
    "import { facts, key } from 'virtual:flash/facts'",
    'export const { serverStub, serverClass, serverWeb, serverRoute, serverSocket } = /* @__PURE__ */ bindServer(facts, key)',
  ].join('\n')
}

function handlerModule(): string {
  return [
    "import { bindHandler } from 'unplugin-flash/internal/gateway'",
    "import { facts, key, modules } from 'virtual:flash/facts'",
    'export const createFlashHandler = /* @__PURE__ */ bindHandler(facts, key, modules)',
  ].join('\n')
}

function factsModule(context: PluginContext): string {
  const key = Buffer.from(context.key).toString('base64url')
  return [
    `export const facts = ${JSON.stringify(toServerFacts(context))}`,
    `export const key = ${JSON.stringify(key)}`,
    `export const modules = {${modulesOf(context)}}`,
  ].join('\n')
}

/** What loads the routes that the server runs itself, by id. */
function modulesOf({ project }: PluginContext): string {
  const routes = project.functions().filter(runsInServer)
  return routes
    .map(({ id, file }) => {
      const first = routes.find((route) => route.file === file)!
      return `${JSON.stringify(id)}: () => import(${JSON.stringify(ROUTES + first.id)})`
    })
    .join(', ')
}

/**
 * The module that has a route, by way of one in between: bundlers warn of an import that is made at its time where another one of
 * the same module is made at once.
 */
function routesModule({ project }: PluginContext, id: string): string {
  return `export { __flash_functions } from ${JSON.stringify(project.get(id)!.file)}`
}

/** What servers of the app know of its functions: nothing of their configs. */
export function toServerFacts({ app, prefix, project }: PluginContext): ServerFacts {
  const functions = project.functions().map(toServerFunction)
  return { app, prefix, functions }
}

function toServerFunction(fact: ServerFunction): ServerFunction {
  const { id, endpoint, exportPath, kind, route, callables, constructorParams, hasInput, setup } = fact
  const shape = { id, endpoint, exportPath, kind, ...(route && { route }) }
  return { ...shape, callables, constructorParams, hasInput, setup }
}
