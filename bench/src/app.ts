import type { Benchmark, Row } from './benchmark.ts'
import { createCrawlApp } from './crawl-app.ts'
import type { Spent, WholeResult } from './programs/whole-build.ts'
import { createProject } from './project.ts'
import { toRatioRow } from './ratio-row.ts'
import { alternate } from './rounds.ts'
import { buildWhole } from './whole-build.ts'

const moduleCount = 5000
const aim = 1.05

type Rounds = Record<'plain' | 'idle' | 'flash', WholeResult>[]

/** A large app built without the plugin, with the plugin and no functions, and with functions. */
export const app: Benchmark = {
  name: 'app',
  title: `App: a build of ${moduleCount.toLocaleString('en')} modules, 10 of them with 3 functions each; a fresh process per sample`,
  async run({ quick, progress }) {
    const count = quick ? 2 : 8
    progress(`building ${moduleCount} modules ${3 * count + 3} times`)
    const plain = createProject(createCrawlApp(moduleCount, '../local.ts'))
    const flash = createProject(createCrawlApp(moduleCount, 'unplugin-flash'))
    const kinds = {
      plain: () => buildWhole({ root: plain.root, workers: 'none' }),
      idle: () => buildWhole({ root: plain.root, workers: 'flash' }),
      flash: () => buildWhole({ root: flash.root, workers: 'flash' }),
    }
    // The first build of each fills the caches of the file system.
    await alternate(1, kinds)
    const rounds = await alternate(count, kinds)
    plain.remove()
    flash.remove()
    return toRows(rounds)
  },
}

function toRows(rounds: Rounds): Row[] {
  const row = (what: string, kind: keyof Spent, part: (round: Rounds[number]) => number) => {
    const pairs = rounds.map((round) => ({ plain: round.plain[kind], flash: part(round) }))
    return toRatioRow(what, pairs, aim)
  }
  return [
    row('CPU with the plugin and no functions', 'cpuMs', ({ idle }) => idle.cpuMs),
    row('CPU of the app alone', 'cpuMs', ({ flash }) => flash.cpuMs - flash.workers.cpuMs),
    row('CPU with the bundles of 30 endpoints', 'cpuMs', ({ flash }) => flash.cpuMs),
    row('time with the plugin and no functions', 'ms', ({ idle }) => idle.ms),
    row('time of the app alone', 'ms', ({ flash }) => flash.ms - flash.workers.ms),
    row('time with the bundles of 30 endpoints', 'ms', ({ flash }) => flash.ms),
  ]
}
