import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Manifest } from '@flash/protocol'
import { type Project, repository } from './project.ts'

export interface Ended {
  code: number
  stdout: string
  /** Both streams. */
  output: string
}

const viteProgram = join(repository, 'node_modules/vite/bin/vite.js')

/** Runs a program to its end, as a user would outside of tests. */
export function runNode(cwd: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { VITEST: _vitest, NODE_ENV: _nodeEnv, ...inherited } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      {
        cwd,
        env: { ...inherited, NO_COLOR: '1', ...env },
        maxBuffer: 64e6,
        timeout: 55_000,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, output: stdout + stderr }),
    )
  })
}

/** Runs `vite build`. */
export function buildProject(project: Project, args: string[] = [], env = {}): Promise<Ended> {
  return runNode(project.root, [viteProgram, 'build', ...args], env)
}

/** All files of a folder, by their path in it. */
export function readFiles(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [relative(folder, file), readFileSync(file, 'utf8')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

export function readManifest(project: Project): Manifest {
  return JSON.parse(project.read('.flash/build/flash_manifest.json'))
}

/** Runs one job in the bundle of an endpoint, and gives what it printed as its result. */
export async function runJob(project: Project, endpoint: string, input: unknown, env = {}) {
  const main = project.path(`.flash/build/${endpoint}/main.mjs`)
  const ended = await runNode(project.root, [main, '--test-input', JSON.stringify({ input })], env)
  return { ...ended, result: JSON.parse(ended.stdout || 'null') }
}
