import { setTimeout as sleep } from 'node:timers/promises'
import { editedFunction } from './apps.ts'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { call, findRefs, jsonRoute, pageRoute, type Route } from './caller.ts'
import { startChild } from './child.ts'
import type { ViteInput, ViteReady } from './programs/vite.ts'
import { createProject } from './project.ts'
import { createRandom, median, quantile } from './statistics.ts'

const file = 'src/functions.ts'
const hangMs = 10_000

/** Something that answers with the number its file says. */
interface Subject {
  /** Saves a new number; resolves to the milliseconds until a call answers with it. */
  edit(value: number): Promise<number>
  stop(): Promise<void>
}

/** From the save of a function's file to the first answer of the new code, while a program asks again and again. */
export const edit: Benchmark = {
  name: 'edit',
  title:
    'Edit: from saving the file of a function to its new answer; no page open, a millisecond between questions',
  async run(options) {
    options.progress('starting both servers')
    const subjects = { plain: await createSubject('runner'), flash: await createSubject('flash') }
    const times = await measure(options, subjects)
    await Promise.all([subjects.plain.stop(), subjects.flash.stop()])
    return toRows(times)
  },
}

async function createSubject(plugin: ViteInput['plugin']): Promise<Subject> {
  const text = editedFunction[plugin]
  const project = createProject({ [file]: text(0), 'src/main.ts': '' })
  const child = await startChild<ViteReady>(new URL('./programs/vite.ts', import.meta.url), {
    root: project.root,
    plugin,
  } satisfies ViteInput)
  const routeTo = await createRoute(plugin, child.ready.url)
  return {
    async edit(value) {
      project.write(file, text(value))
      return await untilRight(routeTo(value))
    },
    async stop() {
      await child.stop()
      project.remove()
    },
  }
}

async function createRoute(plugin: ViteInput['plugin'], url: string): Promise<(expected: number) => Route> {
  if (plugin === 'runner') return (expected) => jsonRoute(`${url}/call`, [], expected)
  const { order } = await findRefs(url, file)
  return (expected) => pageRoute(url, order!, [], expected)
}

async function untilRight(route: Route): Promise<number> {
  const saved = performance.now()
  for (;;) {
    const verdict = await call(route)
    const ms = performance.now() - saved
    if (verdict === 'right') return ms
    if (verdict === 'failed' || ms > hangMs)
      throw new Error(
        `${route.url} ${verdict === 'failed' ? 'failed' : 'gave an old answer'} ${ms} ms after the save`,
      )
    await sleep(1)
  }
}

async function measure({ quick, progress }: RunOptions, subjects: { plain: Subject; flash: Subject }) {
  const random = createRandom(2)
  const times = { plain: [] as number[], flash: [] as number[] }
  const warmUps = 4
  const edits = quick ? 6 : 30
  progress(`${edits} edits of each, in turn`)
  for (let round = 1; round <= warmUps + edits; round++) {
    for (const name of ['plain', 'flash'] as const) {
      const ms = await subjects[name].edit(round)
      if (round > warmUps) times[name].push(ms)
      await sleep(200 + 150 * random())
    }
  }
  return times
}

function toRows({ plain, flash }: { plain: number[]; flash: number[] }): Row[] {
  const row = (what: string, pick: (values: number[]) => number, aim?: number): Row => ({
    what,
    plain: { value: pick(plain), unit: 'ms' },
    flash: { value: pick(flash), unit: 'ms' },
    aim,
  })
  return [
    {
      ...row('half of the edits within (p50)', median, 10),
      note: `${flash.length} edits; plain is Vite's module runner behind one middleware, in the server's own process`,
    },
    row('95 of 100 within (p95)', (values) => quantile(values, 0.95)),
    row('the slowest', (values) => Math.max(...values)),
  ]
}
