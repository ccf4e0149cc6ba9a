import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { startChild } from './child.ts'
import { createCrawlApp } from './crawl-app.ts'
import type { CrawlInput, CrawlResult } from './programs/crawl.ts'
import { createProject } from './project.ts'
import { toRatioRow } from './ratio-row.ts'
import { alternate } from './rounds.ts'

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
  return alternate(quick ? 2 : 8, {
    plain: () => sample({ root: plainRoot, flash: false }),
    flash: () => sample({ root: flashRoot, flash: true }),
  })
}

async function sample(input: CrawlInput): Promise<CrawlResult> {
  const child = await startChild<CrawlResult>(new URL('./programs/crawl.ts', import.meta.url), input)
  await child.stop()
  return child.ready
}

function toRows(rounds: Round[]): Row[] {
  const row = (what: string, milliseconds: (result: CrawlResult) => number, aim?: number) => {
    const pairs = rounds.map(({ plain, flash }) => ({
      plain: milliseconds(plain),
      flash: milliseconds(flash),
    }))
    return toRatioRow(what, pairs, aim)
  }
  return [
    row('CPU of the crawl', ({ crawlCpu }) => crawlCpu / 1000, 1.03),
    row('CPU of start and crawl', ({ startCpu, crawlCpu }) => (startCpu + crawlCpu) / 1000),
    row('time of the crawl', ({ crawlMs }) => crawlMs),
  ]
}
