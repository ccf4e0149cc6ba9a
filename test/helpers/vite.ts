import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { repository, type Project } from './project.ts'

/** A running `vite` command. */
export interface ViteProcess {
  url: string
  process: ChildProcess
  /** Everything it printed, without colours. */
  output(): string
  waitFor(text: string | RegExp): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts `vite` in a project as a user would, and waits for its address. */
export async function startVite(
  project: Project,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<ViteProcess> {
  const vite = join(repository, 'node_modules/vite/bin/vite.js')
  const {
    VITEST: _vitest,
    NODE_ENV: _nodeEnv,
    VITEST_WORKER_ID: _id,
    VITEST_POOL_ID: _pool,
    ...inherited
  } = process.env
  // A worker that runs out of memory would write gigabytes of core file where those are on.
  const command = 'ulimit -c 0; exec "$0" "$@"'
  const child = spawn('/bin/sh', ['-c', command, process.execPath, vite, ...args, '--port', '0'], {
    cwd: project.root,
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const waiting = new Set<() => void>()
  const add = (text: Buffer) => {
    output += stripVTControlCharacters(text.toString())
    for (const look of waiting) look()
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const waitFor = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!(typeof text === 'string' ? output.includes(text) : text.test(output))) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      void exited.then(() => reject(new Error(`vite ended before it printed ${text}:\n${output}`)))
      look()
    })
  await waitFor(/Local:\s+https?:\/\/\S+/).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const url = /Local:\s+(https?:\/\/\S+?)\/?\s/.exec(output)![1]!
  return {
    url,
    process: child,
    output: () => output,
    waitFor,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const [code, by] = await exited
      return { code, signal: by }
    },
  }
}
