import { inspect } from 'node:util'
import type { Peer } from 'crossws'
import type { Callee } from '../execute/call.ts'
import { contextStorage } from '../execute/context.ts'
import type { SocketHooks } from '../execute/socket-server.ts'
import type { Worker } from '../execute/worker.ts'
import { toOwn } from './own.ts'
import { createRequestContext } from './scope.ts'
import { visitOf } from './visit.ts'

const names = ['upgrade', 'open', 'message', 'close', 'drain', 'error', 'ping', 'pong'] as const

/** By RFC 6455: something unexpected happened at the server. */
const FAILED = 1011

type AnyHook = (subject: unknown, ...rest: unknown[]) => unknown

/**
 * The hooks of one connection: each runs in a context of its own, and one that throws ends its connection instead of the worker.
 */
export function bindHooks(worker: Worker, callee: Callee, request: Request, hooks: SocketHooks): SocketHooks {
  const context = createRequestContext(worker, callee, visitOf(request))
  const bound: Partial<Record<(typeof names)[number], AnyHook>> = {}
  for (const name of names) {
    const hook = hooks[name] as AnyHook | undefined
    if (typeof hook !== 'function') continue
    const run: AnyHook = (...given) => contextStorage().run(context, () => hook.apply(hooks, given))
    bound[name] = name === 'upgrade' ? reporting(worker, run) : guarded(worker, name, run)
  }
  return bound as SocketHooks
}

/** A refusal is an answer; all else is answered with 500 by the adapter, without a word. */
function reporting(worker: Worker, run: AnyHook): AnyHook {
  return async (...given) => {
    try {
      const answer = await run(...given)
      return answer instanceof Response ? toOwn(answer) : answer
    } catch (error) {
      if (error instanceof Response) return toOwn(error)
      worker.report(error)
      throw error
    }
  }
}

function guarded(worker: Worker, name: string, run: AnyHook): AnyHook {
  return async (peer, ...rest) => {
    try {
      await run(peer, ...rest)
    } catch (error) {
      worker.write('stderr', `the hook "${name}" of a WebSocket threw: ${inspect(error)}\n`)
      ;(peer as Peer).close(FAILED, 'the worker failed')
    }
  }
}
