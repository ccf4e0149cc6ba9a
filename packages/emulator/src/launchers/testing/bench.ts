import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Launcher, WorkerOrder } from '../launcher.ts'
import { createPrograms, listen } from './programs.ts'

export type CreateLauncher = () => Launcher | Promise<Launcher>

/** A launcher under test with what a test needs beside it; `clean` ends what one test started, `close` all. */
export interface LauncherBench {
  create: CreateLauncher
  order: (script: string, more?: Partial<WorkerOrder>) => WorkerOrder
  start(
    script: string,
    more?: Partial<WorkerOrder>,
  ): ReturnType<typeof listen> & { worker: ReturnType<Launcher['start']> }
  /** A server of this machine; gives the URL at which a worker reaches it. */
  serve(answer: (path: string) => string): Promise<string>
  later(clean: () => unknown): void
  clean(): Promise<void>
  close(): Promise<void>
}

export async function createLauncherBench(create: CreateLauncher): Promise<LauncherBench> {
  const programs = createPrograms()
  const launcher = await create()
  const cleaning: (() => unknown)[] = []
  const bench: LauncherBench = {
    create,
    order: programs.order,
    start(script, more) {
      const worker = launcher.start(programs.order(script, more))
      bench.later(() => worker.stop(0))
      return { worker, ...listen(worker) }
    },
    async serve(answer) {
      const server = createServer(({ url }, response) => void response.end(answer(url!)))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      bench.later(() => server.close())
      return launcher.reachable(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    },
    later: (clean) => void cleaning.push(clean),
    async clean() {
      for (const one of cleaning.splice(0)) await one()
    },
    async close() {
      await launcher.close()
      programs.remove()
    },
  }
  return bench
}
