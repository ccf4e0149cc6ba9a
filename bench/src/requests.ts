import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { order, routedApp } from './apps.ts'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { call as callOnce, jsonRoute, type Route } from './caller.ts'
import { startChild } from './child.ts'
import { atEnd } from './cleanup.ts'
import { compareLatency, load } from './load.ts'
import { cpuMicros, residentMb } from './process.ts'
import type { ViteInput, ViteReady } from './programs/vite.ts'
import { createProject, type Project } from './project.ts'
import { alternate } from './rounds.ts'
import { median, medianRatio, type Pair, ratioInterval } from './statistics.ts'
import { buildWhole } from './whole-build.ts'
import { price } from './work.ts'

const connections = 20
const parallel = 1_000
const uploadBytes = 100_000_000

/** A server that answers an order, and says which process does. */
interface Subject {
  route: Route
  url: string
  pid: number
  stop(): Promise<void>
}

type Name = 'bare' | 'fastify' | 'flash'

/** A request to a route, in the process that runs its handler and through the dev server, against the same on node:http and in fastify. */
export const requests: Benchmark = {
  name: 'requests',
  title: 'Requests: a route of a load-balanced endpoint, against the same on bare node:http and in fastify',
  async run(options) {
    options.progress('building a bundle, starting four servers')
    const project = createProject(routedApp)
    await buildWhole({ root: project.root, workers: 'flash' })
    const subjects = {
      bare: await startBare(),
      fastify: await startFastify(),
      flash: await startWorker(join(project.root, '.flash/build/bench/main.mjs')),
    }
    const dev = await startDev(project)
    const rows = [
      ...(await measureLoad(options, subjects)),
      await measureDev(options, subjects.flash, dev),
      await measureParallel(options, subjects),
      await measureUpload(options),
    ]
    for (const subject of [...Object.values(subjects), dev]) await subject.stop()
    project.remove()
    return rows
  },
}

async function startBare(): Promise<Subject> {
  const program = new URL('./programs/bare.ts', import.meta.url)
  const { ready, stop } = await startChild<{ url: string; pid: number }>(program, {})
  return { ...ready, route: jsonRoute(`${ready.url}/bare/order`, order, price(order)), stop }
}

async function startFastify(): Promise<Subject> {
  const program = new URL('./programs/fastify.ts', import.meta.url)
  const { ready, stop } = await startChild<{ url: string; pid: number }>(program, {})
  return { ...ready, route: jsonRoute(`${ready.url}/order`, order, price(order)), stop }
}

/** A worker as the platform starts it. */
async function startWorker(program: string): Promise<Subject> {
  const port = await findPort()
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { NODE_ENV: 'production', PORT: String(port), RUNPOD_ENDPOINT_ID: 'bench', RUNPOD_POD_ID: 'worker' },
    stdio: 'ignore',
  })
  const forget = atEnd(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  while ((await fetch(`${url}/ping`).catch(() => null))?.status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const stop = async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    forget()
  }
  return { url, pid: child.pid!, route: jsonRoute(`${url}/order`, order, price(order)), stop }
}

async function startDev({ root }: Project): Promise<Pick<Subject, 'route' | 'stop'>> {
  const input: ViteInput = { root, plugin: 'flash' }
  const { ready, stop } = await startChild<ViteReady>(new URL('./programs/vite.ts', import.meta.url), input)
  return { route: jsonRoute(`${ready.url}/_flash/routes/order`, order, price(order)), stop }
}

async function findPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

interface Stretch {
  perSecond: number
  cpu: number
}

async function measureLoad({ quick, progress }: RunOptions, subjects: Record<Name, Subject>): Promise<Row[]> {
  const [rounds, seconds] = quick ? [2, 1] : [10, 2]
  progress(`${rounds} rounds of ${seconds} s with ${connections} connections`)
  const kinds = {
    bare: () => measure(subjects.bare, seconds),
    fastify: () => measure(subjects.fastify, seconds),
    flash: () => measure(subjects.flash, seconds),
  }
  await alternate(1, kinds)
  const taken = await alternate(rounds, kinds)
  return (['bare', 'fastify'] as const).map((other) => {
    const pairs = taken.map((round): Pair => ({ plain: round[other].cpu, flash: round.flash.cpu }))
    const middle = (kind: Name, pick: keyof Stretch) => median(taken.map((round) => round[kind][pick]))
    return {
      what: `CPU of the worker per request, against ${other === 'bare' ? 'node:http' : 'fastify'}`,
      plain: { value: middle(other, 'cpu'), unit: 'µs' },
      flash: { value: middle('flash', 'cpu'), unit: 'µs' },
      figure: { value: medianRatio(pairs), unit: 'times' },
      range: ratioInterval(pairs),
      aim: 1.4,
      note: `${Math.round(middle('flash', 'perSecond')).toLocaleString('en')} requests a second, ${Math.round(middle(other, 'perSecond')).toLocaleString('en')} there; ${connections} connections`,
    }
  })
}

async function measure({ route, pid }: Subject, seconds: number): Promise<Stretch> {
  const before = cpuMicros(pid) ?? Number.NaN
  const { calls, perSecond } = await load(route, { connections, seconds })
  return { perSecond, cpu: ((cpuMicros(pid) ?? Number.NaN) - before) / calls }
}

/** What the way through the dev server adds to a request to the bundle itself. */
async function measureDev(
  { quick, progress }: RunOptions,
  flash: Pick<Subject, 'route'>,
  dev: Pick<Subject, 'route'>,
): Promise<Row> {
  const [rounds, turn] = quick ? [5, 20] : [40, 50]
  progress(`${rounds * turn} requests of each, one at a time`)
  const pair = await compareLatency({ plain: flash.route, flash: dev.route }, { rounds, turn })
  return {
    what: 'one at a time through the dev server, p50, and what is added',
    plain: { value: pair.plain, unit: 'ms' },
    flash: { value: pair.flash, unit: 'ms' },
    figure: { value: pair.flash - pair.plain, unit: 'ms' },
    aim: 1,
    note: `${rounds * turn} requests; plain is the bundle without a dev server`,
  }
}

/** Requests that take a second each, all at once. */
async function measureParallel(
  { quick, progress }: RunOptions,
  { fastify, flash }: Record<Name, Subject>,
): Promise<Row> {
  const rounds = quick ? 1 : 5
  progress(`${rounds} times ${parallel} requests of a second, all at once`)
  const sample =
    ({ url }: Subject) =>
    async () => {
      const started = performance.now()
      const answers = await Promise.all(
        Array.from({ length: parallel }, () => callOnce(jsonRoute(`${url}/slow`, {}, { done: true }))),
      )
      const bad = answers.filter((verdict) => verdict !== 'right').length
      if (bad > 0) throw new Error(`${bad} of ${parallel} slow requests went wrong`)
      return performance.now() - started
    }
  const taken = await alternate(rounds, { plain: sample(fastify), flash: sample(flash) })
  return {
    what: `${parallel.toLocaleString('en')} requests that take a second, all at once, until the last answer`,
    plain: { value: median(taken.map(({ plain }) => plain)), unit: 'ms' },
    flash: { value: median(taken.map(({ flash }) => flash)), unit: 'ms' },
    note: 'plain is fastify',
  }
}

/** What a large upload adds to the memory of the worker while it is read. */
async function measureUpload({ progress }: RunOptions): Promise<Row> {
  progress(`an upload of ${uploadBytes / 1e6} MB`)
  const program = fileURLToPath(new URL('./programs/upload-worker.ts', import.meta.url))
  const { url, pid, stop } = await startWorker(program)
  const before = residentMb(pid) ?? Number.NaN
  let most = before
  const watch = setInterval(() => (most = Math.max(most, residentMb(pid) ?? 0)), 10)
  const bytes = await upload(`${url}/upload`)
  clearInterval(watch)
  await stop()
  if (bytes !== uploadBytes) throw new Error(`${bytes} bytes of ${uploadBytes} arrived`)
  return {
    what: `memory of the worker during an upload of ${uploadBytes / 1e6} MB, at most`,
    plain: { value: before, unit: 'MB' },
    flash: { value: most, unit: 'MB' },
    figure: { value: most - before, unit: 'MB' },
    aim: 50,
    note: 'plain is the same worker before it: `start({ fetch, maxBodyBytes })`, as the platform takes 30 MB at most',
  }
}

async function upload(url: string): Promise<number> {
  const chunk = Buffer.alloc(100_000, 1)
  const outgoing = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
  })
  Readable.from(Array.from({ length: uploadBytes / chunk.length }, () => chunk)).pipe(outgoing)
  const [answer] = await once(outgoing, 'response')
  let text = ''
  for await (const part of answer) text += part
  return JSON.parse(text).bytes
}
