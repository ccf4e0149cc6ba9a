import type { Reply, Visit } from '../balanced/visit.ts'
import { acquireState, type Callee } from '../execute/call.ts'
import { contextStorage } from '../execute/context.ts'
import type { Worker } from '../execute/worker.ts'
import { toOwn } from './own.ts'
import { toReply } from './result.ts'
import { createRequestContext } from './scope.ts'
import type { Webs } from './webs.ts'

/** What a web app answered, and what lets go of it. */
export interface WebAnswer {
  response: Response
  release?: () => void
}

/** Asks a web app in the context of the request; throws what it throws, and `SETUP_FAILED`. */
export async function askWeb(worker: Worker, webs: Webs, callee: Callee, visit: Visit): Promise<WebAnswer> {
  const held = await acquireState(worker, callee, visit.signal)
  held?.release()
  const { web, release } = await webs.acquire(callee)
  try {
    const context = createRequestContext(worker, callee, visit)
    const response = await contextStorage().run(context, () => web.fetch(visit.request()))
    return { response, release }
  } catch (error) {
    release?.()
    throw error
  }
}

/** The answer of a web app that is kept until its body has ended. */
export function holdWeb(worker: Worker, { response, release }: WebAnswer): Reply | Promise<Reply> {
  if (!release) return toOwn(response)
  if (response instanceof Response) {
    const within = <T>(step: () => T): T => step()
    return toReply(response, { schema: undefined, within, onError: worker.report, onEnd: release })
  }
  release()
  return toOwn(response)
}
