import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, createTestClock } from '@flash/protocol'
import { onTestFinished } from 'vitest'
import { type QueueOptions, serveQueue } from '../serve.ts'
import type { JobOutcome, JobRunner } from '../types.ts'
import { createPlane, type Plane } from './plane.ts'
import { until } from './until.ts'

/** A clock by hand that tells what waits for it. */
export interface WatchedClock extends Clock {
  advance(ms: number): void
  /** Milliseconds that are waited for now, as they were asked for. */
  waits: number[]
  /** Resolves as soon as somebody waits so long, and lets that time pass. */
  pass(fits: (ms: number) => boolean): Promise<number>
}

function createWatchedClock(): WatchedClock {
  const clock = createTestClock()
  const waits: number[] = []
  const forget = (ms: number) => {
    const place = waits.indexOf(ms)
    if (place !== -1) waits.splice(place, 1)
  }
  return {
    now: clock.now,
    advance: clock.advance,
    waits,
    after(ms, run) {
      waits.push(ms)
      const withdraw = clock.after(ms, () => {
        forget(ms)
        run()
      })
      return () => {
        forget(ms)
        withdraw()
      }
    },
    async pass(fits) {
      const ms = await until(() => waits.find(fits), 'a pause')
      clock.advance(ms)
      return ms
    },
  }
}

export const outputOf = (value: unknown): JobOutcome => ({
  json: JSON.stringify({ output: value }),
  streamed: false,
})

export interface TestWorker {
  plane: Plane
  clock: WatchedClock
  lines: string[]
  /** Its exit code. */
  done: Promise<number>
  signal(): void
}

export interface TestOptions extends Partial<Omit<QueueOptions, 'runner'>> {
  run?: JobRunner['run']
  runner?: Partial<JobRunner>
  plane?: Plane
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flash-queue-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function openPlane(): Promise<Plane> {
  const plane = await createPlane()
  onTestFinished(() => plane.close())
  return plane
}

/** A worker against a plane, both gone when the test is over. Without `clock` in the options, time stands still. */
export async function startWorker(options: TestOptions = {}): Promise<TestWorker> {
  const { run = async ({ input }) => outputOf(input), runner, ...more } = options
  const plane = options.plane ?? (await openPlane())
  const clock = createWatchedClock()
  const lines: string[] = []
  let signal = () => {}
  const done = serveQueue({
    env: plane.env(),
    version: '9.9.9',
    clock,
    spoolFolder: options.spoolFolder ?? temporaryFolder(),
    write: (line) => void lines.push(line),
    onSignal(listener) {
      signal = listener
      return () => {}
    },
    ...more,
    runner: { run, concurrency: () => 1, close: async () => {}, ...runner },
  })
  onTestFinished(() => end(done, () => signal(), clock))
  return { plane, clock, lines, done, signal: () => signal() }
}

/** What is on its way to the disk gets there; functions that ignore their abort are left after that. */
async function end(done: Promise<number>, signal: () => void, clock: WatchedClock): Promise<void> {
  let isOver = false
  const over = done.catch(() => {}).finally(() => (isOver = true))
  signal()
  signal()
  await until(() => isOver, 'the end of the worker', 200).catch(() => clock.advance(100_000))
  await over
}
