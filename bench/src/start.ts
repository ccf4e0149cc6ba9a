import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import {
  createMessageReader,
  encodeMessage,
  FrameType,
  type FromWorker,
  type ToWorker,
} from '@flash/protocol'
import type { Benchmark, Row } from './benchmark.ts'
import { createBundleApp } from './bundle-app.ts'
import { atEnd } from './cleanup.ts'
import { createProject } from './project.ts'
import { alternate } from './rounds.ts'
import { median } from './statistics.ts'
import { buildWhole } from './whole-build.ts'

/** From the start of a process to its readiness. */
interface Start {
  ms: number
  /** CPU time of all its threads; `null` where the system does not tell. */
  cpuMs: number | null
}

type Rounds = Record<'plain' | 'flash' | 'zod', Start>[]

const bareProgram = "import { writeSync } from 'node:fs'\nwriteSync(3, 'r')\nsetInterval(() => {}, 1000)\n"

/** A bundle as its host starts it, until it can take a call, against a program that says that it is there. */
export const start: Benchmark = {
  name: 'start',
  title: 'Start: from the start of a process until it can take a call, against bare Node',
  async run({ quick, progress }) {
    const project = createProject({ ...createBundleApp(), 'bare.mjs': bareProgram })
    await buildWhole({ root: project.root, workers: 'flash' })
    const bundleOf = (name: string) => join(project.root, '.flash/build', name, 'main.mjs')
    const count = quick ? 5 : 41
    progress(`${count} starts of each, in turn`)
    const kinds = {
      plain: () => startProgram(join(project.root, 'bare.mjs'), () => true),
      flash: () => startProgram(bundleOf('small'), isReady()),
      zod: () => startProgram(bundleOf('zod'), isReady()),
    }
    await alternate(1, kinds)
    const rounds = await alternate(count, kinds)
    project.remove()
    return toRows(rounds)
  },
}

/** Starts a program with a pipe at descriptor 3, and ends it when `hears` has heard enough there. */
function startProgram(program: string, hears: (bytes: Uint8Array) => boolean): Promise<Start> {
  const started = performance.now()
  const cwd = dirname(program)
  const child = spawn(process.execPath, [program], {
    cwd,
    env: { NODE_ENV: 'production', FLASH_WORKER_CHANNEL: '3' },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const forget = atEnd(() => child.kill('SIGKILL'))
  const pipe = child.stdio[3] as Duplex
  pipe.write(startMessage(cwd))
  return new Promise((resolve, reject) => {
    let heard: Start | undefined
    pipe.on('error', () => {})
    pipe.on('data', (bytes: Uint8Array) => {
      if (heard || !hears(bytes)) return
      heard = { ms: performance.now() - started, cpuMs: readCpu(child.pid!) }
      child.kill('SIGKILL')
    })
    // The next one starts when this one is gone.
    child.on('exit', (code) => {
      forget()
      if (heard) resolve(heard)
      else reject(new Error(`${program} ended with code ${code} before it was ready`))
    })
  })
}

function startMessage(root: string): Uint8Array {
  const message: ToWorker = { t: 'start', root, endpoint: 'bench', unnamed: [] }
  return encodeMessage({ type: FrameType.channel, rich: false, text: JSON.stringify(message), parts: [] })
}

function isReady(): (bytes: Uint8Array) => boolean {
  let ready = false
  const reader = createMessageReader(
    ({ text }) => {
      ready ||= (JSON.parse(text) as FromWorker).t === 'ready'
    },
    { bytes: 1_000_000 },
  )
  return (bytes) => {
    reader.push(bytes)
    return ready
  }
}

/** Of all threads that a process has now. */
function readCpu(pid: number): number | null {
  try {
    const folder = `/proc/${pid}/task`
    const times = readdirSync(folder).map((task) => readFileSync(join(folder, task, 'schedstat'), 'utf8'))
    return times.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e6
  } catch {
    return null
  }
}

function toRows(rounds: Rounds): Row[] {
  const time = (kind: keyof Rounds[number]) => median(rounds.map((round) => round[kind].ms))
  const row = (what: string, kind: 'flash' | 'zod', aim?: number): Row => ({
    what,
    plain: { value: time('plain'), unit: 'ms' },
    flash: { value: time(kind), unit: 'ms' },
    figure: { value: median(rounds.map((round) => round[kind].ms - round.plain.ms)), unit: 'ms' },
    aim,
  })
  const small = row('a function of three lines, and what is added', 'flash', 40)
  return [
    { ...small, note: `${rounds.length} starts` },
    row('a function with zod, and what is added', 'zod'),
    ...toCpuRows(rounds),
  ]
}

function toCpuRows(rounds: Rounds): Row[] {
  const pairs = rounds.map(({ plain, flash }) => ({ plain: plain.cpuMs, flash: flash.cpuMs }))
  const known = pairs.filter(
    (pair): pair is { plain: number; flash: number } => pair.plain !== null && pair.flash !== null,
  )
  if (known.length === 0) return []
  return [
    {
      what: 'CPU until then, and what is added',
      plain: { value: median(known.map(({ plain }) => plain)), unit: 'ms' },
      flash: { value: median(known.map(({ flash }) => flash)), unit: 'ms' },
      figure: { value: median(known.map(({ plain, flash }) => flash - plain)), unit: 'ms' },
    },
  ]
}
