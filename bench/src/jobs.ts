import { join } from 'node:path'
import { callApp, order } from './apps.ts'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { jsonRoute, type Route } from './caller.ts'
import { startChild } from './child.ts'
import { compareLatency, load } from './load.ts'
import type { EmulatorReady } from './programs/emulator.ts'
import type { ViteReady } from './programs/vite.ts'
import { createProject } from './project.ts'
import { alternate } from './rounds.ts'
import { median } from './statistics.ts'
import { buildWhole } from './whole-build.ts'
import { price } from './work.ts'

const widest = 100

interface Subject {
  route: Route
  stop(): Promise<void>
}

/** Jobs through the emulator's queue and one worker, against one round trip to a server that does the same work. */
export const jobs: Benchmark = {
  name: 'jobs',
  title: 'Jobs: emulator, queue and one worker, against a round trip to bare node:http',
  async run(options) {
    options.progress('building a bundle, starting an emulator and a server')
    const bare = await startBare()
    const flash = await startEmulator()
    const latency = await measureLatency(options, bare, flash)
    const rows = [latency]
    for (const connections of [10, widest]) rows.push(await measureLoad(options, bare, flash, connections))
    await Promise.all([bare.stop(), flash.stop()])
    return rows
  },
}

async function startBare(): Promise<Subject> {
  const child = await startChild<ViteReady>(new URL('./programs/bare.ts', import.meta.url), {})
  return { route: jsonRoute(`${child.ready.url}/bare/order`, order, price(order)), stop: child.stop }
}

async function startEmulator(): Promise<Subject> {
  const project = createProject(callApp(widest))
  await buildWhole({ root: project.root, workers: 'flash' })
  const program = new URL('./programs/emulator.ts', import.meta.url)
  const child = await startChild<EmulatorReady>(program, { bundles: join(project.root, '.flash/build') })
  const { key, urls } = child.ready
  const expected = JSON.stringify(price(order))
  const input = { 'flash:call': { v: 1, fn: 'order' }, order }
  const route: Route = {
    ...jsonRoute(`${urls.bench}/runsync`, { input }, null),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    isRight: (answer) => {
      const { status, output } = JSON.parse(answer.toString()) as { status: string; output: unknown }
      return status === 'COMPLETED' && JSON.stringify(output) === expected
    },
  }
  const stop = async () => {
    await child.stop()
    project.remove()
  }
  return { route, stop }
}

async function measureLatency({ quick, progress }: RunOptions, bare: Subject, flash: Subject): Promise<Row> {
  const [rounds, turn] = quick ? [5, 50] : [40, 50]
  progress(`${rounds * turn} of each, one at a time`)
  const pair = await compareLatency({ plain: bare.route, flash: flash.route }, { rounds, turn })
  return {
    what: 'one at a time, p50, and what is added',
    plain: { value: pair.plain, unit: 'ms' },
    flash: { value: pair.flash, unit: 'ms' },
    figure: { value: pair.flash - pair.plain, unit: 'ms' },
    aim: 2,
    note: `${rounds * turn} jobs by /runsync`,
  }
}

async function measureLoad(
  { quick, progress }: RunOptions,
  bare: Subject,
  flash: Subject,
  connections: number,
): Promise<Row> {
  const [rounds, seconds] = quick ? [1, 1] : [5, 2]
  progress(`${rounds} rounds of ${seconds} s with ${connections} connections`)
  const kinds = {
    plain: () => load(bare.route, { connections, seconds }),
    flash: () => load(flash.route, { connections, seconds }),
  }
  await alternate(1, kinds)
  const taken = await alternate(rounds, kinds)
  const middle = (kind: 'plain' | 'flash') => median(taken.map((round) => round[kind].perSecond))
  const [plain, ours] = [middle('plain'), middle('flash')]
  return {
    what: `time per job, ${connections} at a time`,
    plain: { value: 1000 / plain, unit: 'ms' },
    flash: { value: 1000 / ours, unit: 'ms' },
    aim: connections === widest ? 0.5 : undefined,
    note: `${Math.round(ours).toLocaleString('en')} jobs a second, ${Math.round(plain).toLocaleString('en')} round trips; caller, emulator and worker share the machine`,
  }
}
