import { AppError, type BundleInfo, isBalanced, systemClock, toWireError } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import { createCall } from '../local/session.ts'
import { answerOnce, type Printed } from './answer-once.ts'
import type { Mode } from './arguments.ts'
import { describeFailure } from './failure.ts'
import { runJob } from './job.ts'
import { type Route, routeJob } from './route.ts'
import type { BundleProcess, Program } from './types.ts'

const GRACE_MS = 1_000

/** Makes the line to print, or throws a mistake in what was asked for. */
type Once = (info: BundleInfo, functions: Functions, say: (text: string) => void) => Promise<Printed>

/**
 * Runs one job and prints one line on stdout: `{"output":…}`, or `{"error":{…}}`. Whatever else is written to stdout goes to
 * stderr instead, where an error is also told in a form for people.
 *
 * The process ends with 0, with 1 for an error, and with 2 for a job that names no function of the bundle.
 */
export function openTest({ id, input }: Extract<Mode, { kind: 'test' }>, process: BundleProcess): Program {
  return openOnce(process, (info, functions, say) => {
    if (info.functions.some(isBalanced))
      throw wrongKind(info, 'answers requests', '{"request": {"path": "/…"}}')
    const route = routeJob(info.endpoint, info.functions, input)
    return runOnce(info, functions, id, route, say).then((json) => ({ json: `{"output":${json}}`, code: 0 }))
  })
}

/**
 * Answers one request and prints one line on stdout: `{"status":200,"headers":{…},"body":…}`, a body of JSON as it is, of text
 * as text, and of bytes as `{"base64":"…"}`.
 *
 * The process ends with 0, with 1 for an error and for a status from 400, and with 2 for a bundle that takes jobs.
 */
export function openRequest(
  { request }: Extract<Mode, { kind: 'request' }>,
  process: BundleProcess,
): Program {
  return openOnce(process, (info, functions, say) => {
    if (!info.functions.some(isBalanced)) throw wrongKind(info, 'takes jobs', '{"input": {…}}')
    return answerOnce(info, functions, request, say)
  })
}

function openOnce(process: BundleProcess, run: Once): Program {
  const { stdout, stderr } = process
  const print = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  let answered = false
  const answer = ({ json, code }: Printed) => {
    if (answered) return
    answered = true
    print(`${json}\n`, () => process.exit(code))
  }
  const say = (text: string) => void stderr.write(text)
  const fail = (error: unknown) => {
    say(`${describeFailure(error)}\n`)
    answer({ json: JSON.stringify({ error: toWireError(error, { stack: true }) }), code: 1 })
  }
  process.on('exit', (code) => {
    if (answered) return
    fail(endedEarly(code))
    process.exitCode = 1
  })
  return {
    start(info, functions) {
      try {
        run(info, functions, say).then(answer, fail)
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

function wrongKind({ endpoint }: BundleInfo, does: string, form: string): AppError {
  return new AppError('BAD_REQUEST', {
    message: `the bundle of "${endpoint}" ${does}, which --test-input has none of`,
    hint: `write ${form}`,
  })
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
