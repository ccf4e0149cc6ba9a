import { join } from 'node:path'
import type { DevEnvironment } from 'vite'
import { readableFolders } from '../project.ts'
import { answerParent, cpuMicroseconds, readInput } from './parent.ts'

export interface CrawlInput {
  root: string
  flash: boolean
}

export interface CrawlResult {
  modules: number
  /** From the server's creation to its address. */
  startCpu: number
  /** From the first module to the last. */
  crawlCpu: number
  crawlMs: number
}

const { root, flash } = readInput<CrawlInput>()
const { createServer } = await import('vite')
const plugins = flash ? [(await import('unplugin-flash/vite')).flash()] : []

const before = cpuMicroseconds()
const server = await createServer({
  root,
  configFile: false,
  cacheDir: join(root, '.vite'),
  logLevel: 'error',
  plugins,
  // Both are the same work with and without the plugin, and would only add noise.
  optimizeDeps: { noDiscovery: true },
  server: { host: '127.0.0.1', port: 0, watch: null, fs: { allow: readableFolders } },
})
await server.listen()
const started = cpuMicroseconds()
const startedAt = performance.now()
const modules = await crawl(server.environments.client, '/src/main.ts')
const result: CrawlResult = {
  modules,
  startCpu: started - before,
  crawlCpu: cpuMicroseconds() - started,
  crawlMs: performance.now() - startedAt,
}
answerParent(result, () => server.close())

/** Asks for every module that can be reached, a few at a time as a browser does; says how many there are. */
async function crawl(environment: DevEnvironment, entry: string): Promise<number> {
  const seen = new Set([entry])
  for (let level = [entry]; level.length > 0; ) {
    const waiting = level
    level = []
    const visit = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        if (!(await environment.transformRequest(url))) throw new Error(`${url} has no output`)
        const module = await environment.moduleGraph.getModuleByUrl(url)
        const found = [...(module?.importedModules ?? [])]
          .map((next) => next.url)
          .filter((next) => !seen.has(next))
        for (const next of found) seen.add(next)
        level.push(...found)
      }
    }
    await Promise.all(Array.from({ length: 16 }, visit))
  }
  return seen.size
}
