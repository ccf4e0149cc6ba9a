import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { callApp, order } from './apps.ts'
import type { Benchmark, Row } from './benchmark.ts'
import { atEnd } from './cleanup.ts'
import { startChild } from './child.ts'
import { residentMb } from './process.ts'
import type { EmulatorReady } from './programs/emulator.ts'
import { createProject } from './project.ts'
import { alternate } from './rounds.ts'
import { median } from './statistics.ts'
import { buildWhole } from './whole-build.ts'

/** From the start of a process to its first word, and the memory it has when it rests. */
interface Sample {
  ms: number
  mb: number
}

const restMs = 1_000
const filled = { endpoints: 100, jobs: 10_000 }

const bareProgram = `import { request } from 'node:http'
request(process.env.RUNPOD_WEBHOOK_POST_OUTPUT, { method: 'POST' }).end('{}')
setInterval(() => {}, 1000)
`

/** A bundle as a worker: how soon its first job is done, and what it holds at rest; and what an emulator holds. */
export const worker: Benchmark = {
  name: 'worker',
  title: 'Worker: from the start of a process until its first job is done, and memory at rest',
  async run({ quick, progress }) {
    const project = createProject({ ...callApp(1), 'bare.mjs': bareProgram })
    await buildWhole({ root: project.root, workers: 'flash' })
    const count = quick ? 3 : 15
    progress(`${count} starts of each, in turn`)
    const kinds = {
      plain: () => startOne(join(project.root, 'bare.mjs')),
      flash: () => startOne(join(project.root, '.flash/build/bench/main.mjs')),
    }
    await alternate(1, kinds)
    const rounds = await alternate(count, kinds)
    project.remove()
    progress(`an emulator with ${filled.endpoints} endpoints and ${filled.jobs} jobs that wait`)
    return [...toRows(rounds), await measureEmulator()]
  },
}

/** Starts a program whose platform is a server here, which gives it one job. */
async function startOne(program: string): Promise<Sample> {
  let given = false
  let done = () => {}
  const reported = new Promise<void>((resolve) => (done = resolve))
  const server = createServer((request, response) => {
    request.resume()
    if (request.url!.startsWith('/job-done')) done()
    if (request.method === 'POST' || request.url!.startsWith('/ping')) return void response.end()
    if (!request.url!.startsWith('/job-take') || given) return
    given = true
    const input = { 'flash:call': { v: 1, fn: 'order' }, order }
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: 'job', input }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const started = performance.now()
  const child = startProgram(program, (server.address() as AddressInfo).port)
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`)))
  await Promise.race([reported, failed])
  const ms = performance.now() - started
  await new Promise((resolve) => setTimeout(resolve, restMs))
  const mb = residentMb(child.pid!) ?? Number.NaN
  failed.catch(() => {})
  child.kill('SIGKILL')
  await ended
  server.closeAllConnections()
  server.close()
  return { ms, mb }
}

function startProgram(program: string, port: number): ChildProcess {
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [program], {
    cwd: dirname(program),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      NODE_ENV: 'production',
      RUNPOD_ENDPOINT_ID: 'bench',
      RUNPOD_POD_ID: 'worker',
      RUNPOD_AI_API_KEY: 'key',
      RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/worker?gpu=none`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/worker/$ID?gpu=none`,
      RUNPOD_WEBHOOK_POST_STREAM: `${url}/job-stream/worker/$ID?gpu=none`,
      RUNPOD_WEBHOOK_PING: `${url}/ping/worker`,
    },
  })
  child.on(
    'exit',
    atEnd(() => child.kill('SIGKILL')),
  )
  return child
}

async function measureEmulator(): Promise<Row> {
  const program = new URL('./programs/emulator.ts', import.meta.url)
  const empty = await startChild<EmulatorReady>(program, {})
  const full = await startChild<EmulatorReady>(program, { idle: filled })
  await new Promise((resolve) => setTimeout(resolve, restMs))
  const [plain, flash] = [residentMb(empty.ready.pid), residentMb(full.ready.pid)]
  await Promise.all([empty.stop(), full.stop()])
  return {
    what: `memory of an emulator: ${filled.endpoints} endpoints, ${filled.jobs.toLocaleString('en')} jobs that wait`,
    plain: { value: plain ?? Number.NaN, unit: 'MB' },
    flash: { value: flash ?? Number.NaN, unit: 'MB' },
    note: 'plain is the same emulator, empty',
  }
}

function toRows(rounds: Record<'plain' | 'flash', Sample>[]): Row[] {
  const middle = (kind: 'plain' | 'flash', pick: keyof Sample) =>
    median(rounds.map((round) => round[kind][pick]))
  return [
    {
      what: 'start to the first job, and what is added to bare Node',
      plain: { value: middle('plain', 'ms'), unit: 'ms' },
      flash: { value: middle('flash', 'ms'), unit: 'ms' },
      figure: { value: median(rounds.map(({ plain, flash }) => flash.ms - plain.ms)), unit: 'ms' },
      aim: 80,
      note: `${rounds.length} starts of each; bare Node makes one request`,
    },
    {
      what: 'memory of a worker that rests',
      plain: { value: middle('plain', 'mb'), unit: 'MB' },
      flash: { value: middle('flash', 'mb'), unit: 'MB' },
      aim: 60,
    },
  ]
}
