import { localNeedsServer, runsInServer } from '@flash/protocol'
import type { Project } from '@flash/compiler'
import { answerFrom, type ServerModule, type ServerRoutes } from '@flash/server'
import type { RunnableDevEnvironment } from 'vite'
import { toModuleError, urlOf } from '../modules.ts'

export interface ServerRoutesHost {
  root: string
  project: Pick<Project, 'get'>
  /** Where code of the app's own server runs; `null` where there is none. */
  server: Pick<RunnableDevEnvironment, 'runner'> | null
}

/** Routes with `local: true`: their modules are those that the app's own server has, as they are now. */
export function createServerRoutes({ root, project, server }: ServerRoutesHost): ServerRoutes {
  const find = (id: string) => project.get(id)
  return {
    has(id) {
      const fact = find(id)
      return fact !== undefined && runsInServer(fact)
    },
    async answer(id, request) {
      const fact = find(id)!
      if (!server) throw localNeedsServer(fact)
      const module = await server.runner.import<ServerModule>(urlOf(fact.file, root)).catch((error) => {
        throw toModuleError(error, root)
      })
      return answerFrom(module, id, request)
    },
  }
}
