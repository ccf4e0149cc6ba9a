import { callApp, order, runnerApp } from './apps.ts'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { call as callOnce, findRefs, jsonRoute, pageRoute, type Route } from './caller.ts'
import { startChild } from './child.ts'
import { load } from './load.ts'
import type { ViteInput, ViteReady } from './programs/vite.ts'
import { createProject } from './project.ts'
import { median, medianRatio, type Pair, ratioInterval } from './statistics.ts'
import { price } from './work.ts'

const connections = 20

/** A server that answers the same call. */
interface Subject {
  route: Route
  /** CPU time in microseconds: of the process that listens, and of the one that runs the function where it is another. */
  used(): Promise<{ server: number; worker: number }>
  stop(): Promise<void>
}

/** `wide` is flash with a worker that takes as many calls at a time as there are connections. */
type Name = 'bare' | 'runner' | 'flash' | 'wide'

/** One stretch of calls over all connections. */
interface Stretch {
  callsPerSecond: number
  serverCpu: number
  workerCpu: number
}

/** A call with a little JSON when everything is warm, against a server on node:http that does the same. */
export const call: Benchmark = {
  name: 'call',
  title: `Warm call: a little JSON through the page's route, against the same on bare node:http`,
  async run(options) {
    options.progress('starting four servers')
    const subjects = {
      bare: await startBare(),
      runner: await startRunner(),
      flash: await startFlash(1),
      wide: await startFlash(connections),
    }
    const latencies = await measureLatency(options, subjects)
    const stretches = await measureLoad(options, subjects)
    for (const subject of Object.values(subjects)) await subject.stop()
    return [...toLatencyRows(latencies), ...toLoadRows(stretches)]
  },
}

async function startBare(): Promise<Subject> {
  const child = await startChild<ViteReady>(new URL('./programs/bare.ts', import.meta.url), {})
  const route = jsonRoute(`${child.ready.url}/bare/order`, order, price(order))
  return { route, used: async () => ({ server: await child.cpu(), worker: 0 }), stop: child.stop }
}

async function startVite(plugin: ViteInput['plugin'], files: Record<string, string>) {
  const project = createProject(files)
  const child = await startChild<ViteReady>(new URL('./programs/vite.ts', import.meta.url), {
    root: project.root,
    plugin,
  } satisfies ViteInput)
  const stop = async () => {
    await child.stop()
    project.remove()
  }
  return { url: child.ready.url, cpu: child.cpu, stop }
}

async function startRunner(): Promise<Subject> {
  const { url, cpu, stop } = await startVite('runner', runnerApp)
  return {
    route: jsonRoute(`${url}/call`, [order], price(order)),
    used: async () => ({ server: await cpu(), worker: 0 }),
    stop,
  }
}

async function startFlash(maxConcurrency: number): Promise<Subject> {
  const { url, cpu, stop } = await startVite('flash', callApp(maxConcurrency))
  const refs = await findRefs(url, 'src/functions.ts')
  const workerCpu = async () => {
    let used = Number.NaN
    const isNumber = (answer: Buffer) =>
      !Number.isNaN((used = Number(/\d+$/.exec(answer.toString('latin1'))?.[0])))
    await expectRight({ ...pageRoute(url, refs.used!, [], 0), isRight: isNumber })
    return used
  }
  return {
    route: pageRoute(url, refs.order!, [order], price(order)),
    used: async () => ({ worker: await workerCpu(), server: await cpu() }),
    stop,
  }
}

async function expectRight(route: Route): Promise<void> {
  const verdict = await callOnce(route)
  if (verdict !== 'right') throw new Error(`${route.url} gave a ${verdict} answer`)
}

/** Calls one after the other, the servers taking turns; milliseconds of each. */
async function measureLatency({ quick, progress }: RunOptions, subjects: Record<Name, Subject>) {
  const latencies: Record<Name, number[]> = { bare: [], runner: [], flash: [], wide: [] }
  const [warmUps, rounds, turn] = [quick ? 3 : 10, quick ? 5 : 40, 50]
  progress(`${rounds * turn} calls of each, one at a time`)
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, { route }] of Object.entries(subjects) as [Name, Subject][]) {
      for (let index = 0; index < turn; index++) {
        const started = performance.now()
        await expectRight(route)
        if (round >= 0) latencies[name].push(performance.now() - started)
      }
    }
  }
  return latencies
}

async function measureLoad({ quick, progress }: RunOptions, subjects: Record<Name, Subject>) {
  const stretches: Record<Name, Stretch[]> = { bare: [], runner: [], flash: [], wide: [] }
  const rounds = quick ? 2 : 8
  progress(`${rounds} rounds of a second with ${connections} connections`)
  for (let round = -1; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects) as [Name, Subject][]) {
      // The first stretch is for warming up.
      const stretch = await measure(subject, round < 0 ? 3 : 1)
      if (round >= 0) stretches[name].push(stretch)
    }
  }
  return stretches
}

async function measure({ route, used }: Subject, seconds: number): Promise<Stretch> {
  const before = await used()
  const { calls, perSecond } = await load(route, { connections, seconds })
  const after = await used()
  return {
    callsPerSecond: perSecond,
    serverCpu: (after.server - before.server) / calls,
    workerCpu: (after.worker - before.worker) / calls,
  }
}

function toLatencyRows({ bare, runner, flash }: Record<Name, number[]>): Row[] {
  const [plain, floor, ours] = [median(bare), median(runner), median(flash)]
  return [
    {
      what: 'one at a time, p50, and what is added',
      plain: { value: plain, unit: 'ms' },
      flash: { value: ours, unit: 'ms' },
      figure: { value: ours - plain, unit: 'ms' },
      aim: 1,
      note: `${flash.length} calls; Vite's module runner behind one middleware adds ${(floor - plain).toFixed(2)} ms`,
    },
  ]
}

function toLoadRows({ bare, runner, flash, wide }: Record<Name, Stretch[]>): Row[] {
  const middle = (stretches: Stretch[], pick: keyof Stretch) =>
    median(stretches.map((stretch) => stretch[pick]))
  const pairsOf = (stretches: Stretch[]) =>
    stretches.map(({ serverCpu }, round): Pair => ({ plain: bare[round]!.serverCpu, flash: serverCpu }))
  const cpuRow = (what: string, stretches: Stretch[], more = ''): Row => ({
    what,
    plain: { value: middle(bare, 'serverCpu'), unit: 'µs' },
    flash: { value: middle(stretches, 'serverCpu'), unit: 'µs' },
    figure: { value: medianRatio(pairsOf(stretches)), unit: 'times' },
    range: ratioInterval(pairsOf(stretches)),
    aim: 3,
    note: `the worker, a process of its own, takes ${middle(stretches, 'workerCpu').toFixed(1)} µs more${more}`,
  })
  const speedRow = (what: string, stretches: Stretch[]): Row => ({
    what,
    plain: { value: middle(bare, 'callsPerSecond'), unit: 'calls/s' },
    flash: { value: middle(stretches, 'callsPerSecond'), unit: 'calls/s' },
  })
  return [
    cpuRow(
      `CPU of the server per call, ${connections} connections`,
      flash,
      `; the module runner's server ${medianRatio(pairsOf(runner)).toFixed(2)}×`,
    ),
    cpuRow(`the same with maxConcurrency: ${connections}`, wide),
    speedRow(`calls per second, ${connections} connections`, flash),
    {
      ...speedRow(`the same with maxConcurrency: ${connections}`, wide),
      note: 'caller, server and worker share the machine',
    },
  ]
}
