import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { createBuildsApp, entriesOf } from './builds-app.ts'
import type { Spent, WholeResult } from './programs/whole-build.ts'
import { createProject } from './project.ts'
import { toRatioRow } from './ratio-row.ts'
import { alternate } from './rounds.ts'
import { median, medianRatio, type Pair } from './statistics.ts'
import { buildWhole } from './whole-build.ts'

const counts = [1, 10, 50]

interface Builds {
  count: number
  rounds: Record<'plain' | 'flash', WholeResult>[]
}

/** The worker bundles of 1, 10 and 50 endpoints, against rolldown called by hand for as many programs. */
export const builds: Benchmark = {
  name: 'builds',
  title: 'Builds: worker bundles of 1, 10 and 50 endpoints, each with 41 modules of its own and h3',
  async run(options) {
    const all: Builds[] = []
    for (const count of counts) all.push({ count, rounds: await measure(options, count) })
    return [
      ...all.map(toTimeRow),
      ...all.map((one) => toRatioRow(`${nameOf(one)}: CPU for each`, eachOf(one, 'cpuMs'))),
      ...all.map((one) => toRatioRow(`${nameOf(one)}: time of the whole build`, wholeOf(one))),
    ]
  },
}

async function measure({ quick, progress }: RunOptions, count: number): Promise<Builds['rounds']> {
  const rounds = quick ? 2 : 7
  progress(`building an app with ${count} of them ${2 * rounds} times`)
  const plain = createProject(createBuildsApp(count, 'by hand'))
  const flash = createProject(createBuildsApp(count, 'flash'))
  const taken = await alternate(rounds, {
    plain: () => buildWhole({ root: plain.root, workers: 'by hand', entries: entriesOf(count) }),
    flash: () => buildWhole({ root: flash.root, workers: 'flash' }),
  })
  checkBundles(join(plain.root, '.workers'), count)
  checkBundles(join(flash.root, '.flash/build'), count)
  plain.remove()
  flash.remove()
  return taken
}

function checkBundles(folder: string, count: number): void {
  const missing = entriesOf(count).filter((name) => !existsSync(join(folder, name, 'main.mjs')))
  if (missing.length > 0) throw new Error(`${folder} has no bundle of ${missing.join(', ')}`)
}

function nameOf({ count }: Builds): string {
  return `${count} endpoint${count === 1 ? '' : 's'}`
}

/** The aim is about time, so the machine's other work is in the figure. */
function toTimeRow(builds: Builds): Row {
  const pairs = eachOf(builds, 'ms')
  return {
    what: `${nameOf(builds)}: time for each`,
    plain: { value: median(pairs.map(({ plain }) => plain)), unit: 'ms' },
    flash: { value: median(pairs.map(({ flash }) => flash)), unit: 'ms' },
    aim: 25,
    note: `${pairs.length} pairs; plain is rolldown by hand; flash takes ${medianRatio(pairs).toFixed(2)}× of its time`,
  }
}

function eachOf({ count, rounds }: Builds, kind: keyof Spent): Pair[] {
  return rounds.map(({ plain, flash }) => ({
    plain: plain.workers[kind] / count,
    flash: flash.workers[kind] / count,
  }))
}

function wholeOf({ rounds }: Builds): Pair[] {
  return rounds.map(({ plain, flash }) => ({ plain: plain.ms, flash: flash.ms }))
}
