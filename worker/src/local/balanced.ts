import type { LocalServe, ServedFunction } from '@flash/protocol'
import type { BalancedServer } from '../balanced/serve.ts'
import type { Answer } from '../routes/answer.ts'
import { type BalancedRuntime, runtimeOf } from '../routes/runtime.ts'
import { loadCallee, track } from './calls.ts'
import type { Session } from './session.ts'

/** The HTTP server of a worker, once somebody has asked for it. */
export interface LocalServer {
  serve(message: LocalServe): Promise<void>
  close(): Promise<void>
}

interface Opened {
  answer: Answer<ServedFunction>
  server: BalancedServer
}

export function createLocalServer(session: Session): LocalServer {
  let opening: Promise<Opened> | undefined
  let current: Pick<LocalServe, 'token' | 'functions'> = { token: '', functions: [] }
  const open = async (signal: AbortSignal): Promise<Opened> => {
    const runtime = await loadRuntime(session, current.functions)
    const answer = runtime.createAnswer<ServedFunction>({
      worker: session.worker,
      load: (fn) => load(session, fn),
    })
    answer.serve(current.functions)
    await answer.prepare(signal)
    signal.throwIfAborted()
    return { answer, server: await listen(session, runtime, answer, () => current.token) }
  }
  return {
    serve: ({ call, ...given }) =>
      track(session, call, async ({ signal }) => {
        current = given
        const running = (opening ??= open(signal))
        const { answer, server } = await running.catch((error) => {
          if (opening === running) opening = undefined
          throw error
        })
        answer.serve(current.functions)
        return { rich: false, text: JSON.stringify({ port: server.port }), parts: [] }
      }),
    async close() {
      const opened = await opening?.catch(() => undefined)
      if (!opened) return
      await opened.server.close()
      await opened.answer.close()
    },
  }
}

function load(session: Session, { id, module, setup }: ServedFunction) {
  return loadCallee(session, { fn: id, module, setup })
}

async function loadRuntime(session: Session, functions: ServedFunction[]): Promise<BalancedRuntime> {
  const callees = await Promise.all(functions.map((fn) => load(session, fn)))
  return runtimeOf(callees.map(({ definition }) => definition))
}

/** Only what carries the token is from the dev server, which has limits of its own. */
function listen(
  { clock, graceMs, worker }: Session,
  { serveBalanced, toFailureResponse }: BalancedRuntime,
  answer: Answer<ServedFunction>,
  token: () => string,
): Promise<BalancedServer> {
  return serveBalanced({
    visit: answer.visit,
    sockets: { take: answer.upgrade, leave: answer.leave },
    toResponse: toFailureResponse,
    token,
    port: 0,
    host: '127.0.0.1',
    maxBodyBytes: Number.POSITIVE_INFINITY,
    shutdownMs: graceMs,
    clock,
    write: (line) => worker.write('stderr', line),
  })
}
