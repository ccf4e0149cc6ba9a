import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { startChild } from './child.ts'
import { createCrawlApp } from './crawl-app.ts'
import type { CrawlInput, CrawlResult } from './programs/crawl.ts'
import { createProject } from './project.ts'
import { median, medianRatio, type Pair, ratioInterval } from './statistics.ts'

const moduleCount = 5000

interface Round {
  plain: CrawlResult
  flash: CrawlResult
}

/** Every module of a large app, transformed for the page by a fresh dev server, with the plugin and without. */
export const crawl: Benchmark = {
  name: 'crawl',
  title: `Crawl: ${moduleCount.toLocaleString('en')} modules for the page, 10 of them with 3 functions each; a fresh process per sample`,
  async run(options) {
    options.progress(`writing ${moduleCount} modules twice`)
    const plain = createProject(createCrawlApp(moduleCount, '../local.ts'))
    const flash = createProject(createCrawlApp(moduleCount, 'unplugin-flash'))
    const rounds = await measure(options, plain.root, flash.root)
    plain.remove()
    flash.remove()
    return toRows(rounds)
  },
}

async function measure(
  { quick, progress }: RunOptions,
  plainRoot: string,
  flashRoot: string,
): Promise<Round[]> {
  // The first start of each fills the caches of dependencies and of the file system.
  const first = {
    plain: await sample({ root: plainRoot, flash: false }),
    flash: await sample({ root: flashRoot, flash: true }),
  }
  progress(`${first.plain.modules} modules without the plugin, ${first.flash.modules} with it`)
  const rounds: Round[] = []
  const count = quick ? 2 : 8
  for (let round = 0; round < count; round++) {
    if (round % 4 === 0) progress(`round ${round + 1} of ${count}`)
    // The order alternates, so that being second is no advantage.
    if (round % 2 === 0) {
      const before = await sample({ root: plainRoot, flash: false })
      rounds.push({ plain: before, flash: await sample({ root: flashRoot, flash: true }) })
    } else {
      const before = await sample({ root: flashRoot, flash: true })
      rounds.push({ flash: before, plain: await sample({ root: plainRoot, flash: false }) })
    }
  }
  return rounds
}

async function sample(input: CrawlInput): Promise<CrawlResult> {
  const child = await startChild<CrawlResult>(new URL('./programs/crawl.ts', import.meta.url), input)
  await child.stop()
  return child.ready
}

function toRows(rounds: Round[]): Row[] {
  return [
    toRow('CPU of the crawl', rounds, ({ crawlCpu }) => crawlCpu, 1.03),
    toRow('CPU of start and crawl', rounds, ({ startCpu, crawlCpu }) => startCpu + crawlCpu),
    toRow('time of the crawl', rounds, ({ crawlMs }) => crawlMs * 1000),
  ]
}

function toRow(
  what: string,
  rounds: Round[],
  microseconds: (result: CrawlResult) => number,
  aim?: number,
): Row {
  const pairs = rounds.map(
    ({ plain, flash }): Pair => ({ plain: microseconds(plain), flash: microseconds(flash) }),
  )
  const [low, high] = ratioInterval(pairs)
  return {
    what,
    plain: { value: median(pairs.map(({ plain }) => plain)) / 1000, unit: 'ms' },
    flash: { value: median(pairs.map(({ flash }) => flash)) / 1000, unit: 'ms' },
    figure: { value: medianRatio(pairs), unit: 'times' },
    range: [low, high],
    aim,
    note: `${pairs.length} pairs; the ratio is known to ${low.toFixed(3)}–${high.toFixed(3)} (95 %)`,
  }
}
