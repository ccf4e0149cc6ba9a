import { AppError, type BundleInfo, isBalanced, workerVariables } from '@flash/protocol'
import { readPlace } from '../balanced/places.ts'
import type { BalancedServer } from '../balanced/serve.ts'
import type { Functions } from '../execute/definition.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import { noQueue } from './arguments.ts'
import { createBundleAnswer } from './bundle-answer.ts'
import { describeFailure } from './failure.ts'
import { leave } from './leave.ts'
import { checkNode } from './node-version.ts'
import { serveRefusal } from './refuse.ts'
import type { BundleProcess, Program } from './types.ts'

export interface RequestsHost {
  process: BundleProcess
  /** Ends a process that serves. */
  crash(error: unknown): void
}

/** Something that listens until it is closed, which gives the exit code. */
type Serving = Pick<BalancedServer, 'port' | 'close'>

/**
 * Answers requests with the functions of the bundle, at the ports that the variables say, until it is told to end.
 *
 * When its modules do not load, whoever sends requests is told that this worker takes none.
 */
export function openRequests({ process, crash }: RequestsHost): Program {
  const { stderr } = process
  const say = (error: unknown) => void stderr.write(`flash: ${describeFailure(error)}\n`)
  let isBroken = false
  let end = () => {}
  const told = new Promise<void>((resolve) => (end = resolve))
  const run = async (serve: () => Promise<Serving>) => {
    let code = 1
    try {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end)
      const serving = await serve()
      stderr.write(`listening at port ${serving.port}\n`)
      await told
      code = await serving.close()
    } catch (error) {
      say(error)
    }
    leave(process, isBroken ? 1 : code)
  }
  return {
    start(info, functions) {
      if (info.functions.some(isBalanced)) return void run(() => serve(info, functions, process, say))
      say(noQueue())
      process.exit(2)
    },
    failToLoad(error) {
      say(error)
      if (isExpected(process.env)) void run(() => serveRefusal(readPlace(process.env)))
      else process.exit(1)
    },
    crash(error) {
      if (isBroken) return crash(error)
      isBroken = true
      say(error)
      end()
    },
  }
}

/** Somebody will ask how this worker is. */
function isExpected(env: BundleProcess['env']): boolean {
  return Boolean(env.PORT ?? env[workerVariables.worker])
}

async function serve(
  info: BundleInfo,
  functions: Functions,
  process: BundleProcess,
  say: (error: unknown) => void,
): Promise<Serving> {
  checkNode(info, process)
  const write = (stream: 'stdout' | 'stderr', text: string) => void process[stream].write(text)
  const worker = createWorker({ endpoint: info.endpoint, write })
  setCurrentWorker(worker)
  const { answer, runtime } = createBundleAnswer(info, functions, worker)
  const stop = new AbortController()
  const ready = () =>
    answer.prepare(stop.signal).catch((error) => {
      if (!stop.signal.aborted) say(error)
      throw error
    })
  const server = await runtime.serveBalanced({
    ...readPlace(process.env),
    visit: answer.visit,
    ready,
    sockets: { take: answer.upgrade, leave: answer.leave },
    toResponse: runtime.toFailureResponse,
    write: (line) => write('stderr', line),
  })
  return {
    port: server.port,
    async close() {
      const code = await server.close()
      stop.abort(new AppError('CANCELLED', { message: 'the worker ends' }))
      await answer.close()
      await worker.close()
      return code
    },
  }
}
