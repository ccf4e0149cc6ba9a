import { AppError, toWireError } from '@flash/protocol'
import type { Mode } from './arguments.ts'
import { describeFailure } from './failure.ts'
import { runJob } from './job.ts'
import { routeJob } from './route.ts'
import type { BundleProcess, Program } from './types.ts'

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
        runJob(info, functions, id, route, say).then((json) => answer(0, `{"output":${json}}`), fail)
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

function endedEarly(code: number): AppError {
  return new AppError('WORKER_CRASHED', {
    message: `the process ended with code ${code} before the function did`,
    hint: 'a worker ends with its calls when one of them calls process.exit()',
  })
}
