import type { RouteMethod } from '@flash/protocol'
import { type BalancedOptions, type BalancedServer, serveBalanced } from '../balanced/serve.ts'
import type { Functions } from '../execute/definition.ts'
import { createWorker, setCurrentWorker, type Worker } from '../execute/worker.ts'
import { type Answer, createAnswer } from './answer.ts'
import { defineRoute, defineSocket, defineWeb } from './define.ts'
import { toFailureResponse } from './failure.ts'
import type { BalancedFunction } from './router.ts'

/** A load-balanced endpoint with a server of its own. */
export interface TestEndpoint {
  url: string
  answer: Answer<BalancedFunction>
  worker: Worker
  server: BalancedServer
  written: { stdout: string; stderr: string }
  /** Adds a route, or one in its place; gives what code of the worker calls. */
  route(method: RouteMethod, path: string, handler: unknown, options?: object): any
  web(body: unknown, config?: object): any
  close(): Promise<void>
}

export async function createEndpoint(
  config: object = {},
  more: Partial<BalancedOptions> = {},
): Promise<TestEndpoint> {
  const functions: Functions = Object.create(null)
  const facts = new Map<string, BalancedFunction>()
  const written = { stdout: '', stderr: '' }
  const worker = createWorker({
    endpoint: 'shop',
    write: (stream, text) => void (written[stream] += text),
  })
  const unset = setCurrentWorker(worker)
  const load = ({ id }: BalancedFunction) => ({ id, definition: functions[id]! })
  const answer = createAnswer<BalancedFunction>({ worker, load })
  const server = await listen(answer, { write: (line) => void (written.stderr += line), ...more })
  const add = (fact: BalancedFunction) => {
    facts.set(fact.id, fact)
    answer.serve(Array.from(facts.values()))
  }
  return {
    url: `http://127.0.0.1:${server.port}`,
    answer,
    worker,
    server,
    written,
    route(method, path, handler, options) {
      const id = `${method} ${path}`
      const made =
        method === 'WS'
          ? defineSocket(functions, id, { config }, method, path, handler, options)
          : defineRoute(functions, id, { config }, method, path, handler, options)
      add({ id, kind: 'route', route: { method, path, schemas: [] } })
      return made
    },
    web(body, webConfig = config) {
      const made = defineWeb(functions, 'web', webConfig, body)
      add({ id: 'web', kind: 'web' })
      return made
    },
    async close() {
      await server.close()
      await answer.close()
      await worker.close()
      unset()
    },
  }
}

function listen(answer: Answer<BalancedFunction>, more: Partial<BalancedOptions>): Promise<BalancedServer> {
  return serveBalanced({
    visit: answer.visit,
    sockets: { take: answer.upgrade, leave: answer.leave },
    toResponse: toFailureResponse,
    port: 0,
    host: '127.0.0.1',
    ...more,
  })
}
