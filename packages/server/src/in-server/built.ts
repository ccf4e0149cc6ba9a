import { AppError, runsInServer, type ServerFacts } from '@flash/protocol'
import type { ServerRoutes } from './backend.ts'
import { answerFrom, type ServerModule } from './modules.ts'

/** By the id of a route: loads the module that has it. */
export type ServerModules = Readonly<Record<string, () => Promise<ServerModule>>>

/** The routes that a built server runs itself; their modules are loaded with the first request. */
export function createBuiltRoutes({ functions }: ServerFacts, modules: ServerModules): ServerRoutes {
  const names = new Map(functions.filter(runsInServer).map(({ id, exportPath }) => [id, exportPath]))
  return {
    has: (id) => names.has(id),
    async answer(id, request) {
      const load = Object.hasOwn(modules, id) ? modules[id] : undefined
      if (!load) throw notBuiltIn(names.get(id)!)
      return answerFrom(await load(), id, request)
    },
  }
}

/** Throws `LOCAL_NEEDS_SERVER` for an app that has routes which nothing but its own server can run. */
export function refuseServerRoutes({ functions }: ServerFacts): void {
  const [first] = functions.filter(runsInServer)
  if (first) throw notBuiltIn(first.exportPath)
}

function notBuiltIn(name: string): AppError {
  return new AppError('LOCAL_NEEDS_SERVER', {
    message: `\`${name}\` has \`local: true\`: it runs in the server of the app, and this is not it`,
    hint: 'start the server that the build made, with createFlashHandler() in it; or leave out `local`, and a worker runs the route',
  })
}
