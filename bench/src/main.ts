import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { app } from './app.ts'
import type { Benchmark, Row } from './benchmark.ts'
import { builds } from './builds.ts'
import { bundle } from './bundle.ts'
import { bytes } from './bytes.ts'
import { call } from './call.ts'
import { crawl } from './crawl.ts'
import { edit } from './edit.ts'
import { jobs } from './jobs.ts'
import { requests } from './requests.ts'
import { size } from './size.ts'
import { start } from './start.ts'
import { judge, printMarkdown, printTable } from './table.ts'
import { worker } from './worker.ts'

const benchmarks: Benchmark[] = [
  crawl,
  edit,
  call,
  bytes,
  size,
  builds,
  app,
  bundle,
  start,
  jobs,
  worker,
  requests,
]
const names = benchmarks.map(({ name }) => name)

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    markdown: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

if (values.help) {
  console.log(`npm run bench -- [--only ${names.join()}] [--quick] [--json | --markdown]`)
  process.exit()
}

const print = values.markdown ? printMarkdown : printTable
const started = performance.now()
const results: { name: string; title: string; rows: Row[] }[] = []
for (const { name, title, run } of pickBenchmarks(values.only)) {
  const rows = await run({
    quick: values.quick ?? false,
    progress: (text) => console.error(`• ${name}: ${text} …`),
  })
  results.push({ name, title, rows })
  if (!values.json) console.log(`\n${print(title, rows)}\n`)
}
const machine = {
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cores: availableParallelism(),
}
const seconds = Math.round((performance.now() - started) / 1000)
if (values.json) console.log(JSON.stringify({ machine, seconds, benchmarks: results.map(toJson) }, null, 2))
else
  console.log(
    `Node ${machine.node}, ${machine.platform}, ${machine.cores} cores; ${seconds} s. Times depend on the machine, read them as ratios.`,
  )

function pickBenchmarks(only: string[] | undefined): Benchmark[] {
  if (!only) return benchmarks
  return only
    .flatMap((names) => names.split(','))
    .map((name) => {
      const found = benchmarks.find((benchmark) => benchmark.name === name)
      if (found) return found
      console.error(`There is no benchmark "${name}"; there are: ${names.join(', ')}.`)
      process.exit(2)
    })
}

function toJson({ name, title, rows }: (typeof results)[number]) {
  return { name, title, rows: rows.map((row) => ({ ...row, verdict: judge(row) })) }
}
