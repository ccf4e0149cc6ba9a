import { AppError, type BundleInfo, systemClock, toWireError } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import { createCall } from '../local/session.ts'
import type { Mode } from './arguments.ts'
import { describeFailure } from './failure.ts'
import { runJob } from './job.ts'
import { type Route, routeJob } from './route.ts'
import type { BundleProcess, Program } from './types.ts'

const GRACE_MS = 1_000

/**
 * Runs one job and prints one line on stdout: `{"output":…}`, or `{"error":{…}}`. Whatever else is written to stdout goes to
 * stderr instead, where an error is also told in a form for people.
 *
 * The process ends with 0, with 1 for an error, and with 2 for a job that names no function of the bundle.
 */
export function openTest({ id, input }: Extract<Mode, { kind: 'test' }>, process: BundleProcess): Program {
  const { stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  let answered = false
  const answer = (code: number, json: string) => {
    if (answered) return
    answered = true
    print(`${json}\n`, () => process.exit(code))
  }
  const say = (text: string) => void stderr.write(text)
  const fail = (error: unknown) => {
    say(`${describeFailure(error)}\n`)
    answer(1, JSON.stringify({ error: toWireError(error, { stack: true }) }))
  }
  process.on('exit', (code) => {
    if (answered) return
    fail(endedEarly(code))
    process.exitCode = 1
  })
  return {
    start(info, functions) {
      try {
        const route = routeJob(info.endpoint, info.functions, input)
        runOnce(info, functions, id, route, say).then((json) => answer(0, `{"output":${json}}`), fail)
      } catch (error) {
        answered = true
        say(`flash: ${describeFailure(error)}\n`)
        process.exit(2)
      }
    },
    failToLoad: fail,
    crash: fail,
  }
}

/** The job with a worker of its own, which is closed after it; of a generator, the result is the list of its items. */
async function runOnce(
  info: BundleInfo,
  functions: Functions,
  id: string,
  route: Route,
  say: (text: string) => void,
): Promise<string> {
  const { endpoint, instances: instanceLimit } = info
  const worker = createWorker({ endpoint, instanceLimit, write: (_, text) => say(text) })
  const unset = setCurrentWorker(worker)
  // A function may wait for something that keeps no process alive.
  const alive = setInterval(() => {}, GRACE_MS)
  const items: string[] = []
  const host = { info, functions, worker, clock: systemClock }
  try {
    const json = await runJob(host, { id, route }, createCall(0, systemClock, GRACE_MS), {
      item: (item) => void items.push(item),
      progress: (json) => say(`progress: ${json}\n`),
      log: say,
      refreshWorker() {},
    })
    return json ?? `[${items.join(',')}]`
  } finally {
    clearInterval(alive)
    await worker.close()
    unset()
  }
}

function endedEarly(code: number): AppError {
  return new AppError('WORKER_CRASHED', {
    message: `the process ended with code ${code} before the function did`,
    hint: 'a worker ends with its calls when one of them calls process.exit()',
  })
}
