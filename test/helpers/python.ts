import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ended } from './build.ts'
import { repository } from './project.ts'

const home = join(repository, 'node_modules/.cache/clients')

/** Programs of other people, in a virtual environment that `.ci/clients.mjs` made: `/…/bin`. */
export interface PythonPrograms {
  /** The SDK 2.0, with its command `rp`. */
  sdk2: string
  /** `runpod` 1.12 and `runpod-flash` 1.21, with its command `flash`. */
  sdk1: string
}

/** `null` where they could not be installed; throws where nothing may be left out. */
export function findPrograms(): PythonPrograms | null {
  const folders = ['runpod-2', 'runpod-1'].map((name) => join(home, name))
  if (folders.every((folder) => existsSync(join(folder, 'key'))))
    return { sdk2: join(folders[0]!, 'bin'), sdk1: join(folders[1]!, 'bin') }
  if (process.env.FLASH_TESTS === 'all')
    throw new Error('the Python programs are missing: run `node .ci/prepare.mjs --tools`')
  return null
}

/** Files of `test/clients/python`. */
export function fixture(...path: string[]): string {
  return join(repository, 'test/clients/python', ...path)
}

/** A folder for what a user has, with a copy of fixtures in it, and an empty home. */
export interface PythonProject {
  root: string
  run(command: string, args: string[], env?: Record<string, string>): Promise<Ended>
  /** What a program printed as its last line, in JSON; throws with all it printed when it failed. */
  ask(command: string, args: string[], env?: Record<string, string>): Promise<any>
  remove(): void
}

/** - `env`: all variables of its programs but those that say where things are. */
export function createPythonProject(copyOf: string, env: Record<string, string>): PythonProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-clients-')))
  const [root, userHome] = [join(folder, 'project'), join(folder, 'home')]
  cpSync(copyOf, root, { recursive: true, filter: (path) => !path.includes('__pycache__') })
  mkdirSync(userHome)
  const surroundings = {
    PATH: process.env.PATH ?? '',
    HOME: userHome,
    NO_COLOR: '1',
    // What is put into artifacts has the versions of the tests, and is fetched once.
    PIP_CONSTRAINT: fixture('runpod-2.txt'),
    PIP_CACHE_DIR: join(home, 'pip'),
    PIP_NO_DEPS: '1',
    PIP_NO_COMPILE: '1',
    ...pick(process.env, ['PIP_CERT', 'PIP_INDEX_URL', 'PIP_CONFIG_FILE']),
  }
  const run: PythonProject['run'] = (command, args, more = {}) =>
    runProgram(command, args, { cwd: root, env: { ...surroundings, ...env, ...more } })
  return {
    root,
    run,
    async ask(command, args, more) {
      const { code, stdout, output } = await run(command, args, more)
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output}`)
      return JSON.parse(stdout.trim().split('\n').at(-1)!)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function pick(from: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (from[name] ? [[name, from[name]]] : [])))
}

/** To its end, without a terminal; whatever hangs is ended after a minute. */
function runProgram(
  command: string,
  args: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, output] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), 55_000)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? 1, stdout, output: signal ? `${output}\nended by ${signal}` : output })
    })
  })
}
