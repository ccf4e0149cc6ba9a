import { spawn } from 'node:child_process'
import { prelude, REPORT_FD, REPORT_GLOBAL, type Report, toReported } from './child.ts'

export type Outcome =
  | Report
  | { kind: 'timeout'; limitMs: number }
  /** The process ended without an answer; `output` is the end of what it printed to stderr. */
  | { kind: 'ended'; exitCode: number | null; output: string }

export interface RunOptions {
  /** One self-contained module that calls the report global. */
  code: string
  /** The working folder, and all that may be read. */
  root: string
  env: Record<string, string>
  limitMs?: number
}

const before = `(${prelude.toString()})(${REPORT_FD}, ${JSON.stringify(REPORT_GLOBAL)}, ${toReported.toString()});\n`

/** Lines that stand before the code in the program. */
export const linesBefore = before.split('\n').length - 1

const LIMIT_MS = 10_000
const OUTPUT_KEPT = 2_000

/** Runs a module in a process of its own that can read the project, write nothing and start nothing, where Node can see to that. */
export function runModule({ code, root, env, limitMs = LIMIT_MS }: RunOptions): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [...permissionFlags(root), '--no-warnings', '--input-type=module', '-'],
    {
      cwd: root,
      env,
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      windowsHide: true,
    },
  )
  let answer = ''
  let output = ''
  let timedOut = false
  const [, , stderr, report] = child.stdio as unknown as NodeJS.ReadableStream[]
  report!.setEncoding('utf8').on('data', (text: string) => (answer += text))
  stderr!.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-OUTPUT_KEPT)))
  // A process that ends early closes its input; how it ended is what counts.
  child.stdin!.on('error', () => {})
  child.stdin!.end(before + code)
  const timer = setTimeout(() => {
    timedOut = true
    child.kill('SIGKILL')
  }, limitMs)
  return new Promise((settle, fail) => {
    child.on('error', fail)
    child.on('close', (exitCode) => {
      clearTimeout(timer)
      if (timedOut) settle({ kind: 'timeout', limitMs })
      else settle(parseAnswer(answer) ?? { kind: 'ended', exitCode, output: output.trim() })
    })
  })
}

function parseAnswer(text: string): Report | null {
  try {
    return JSON.parse(text) as Report
  } catch {
    return null
  }
}

function permissionFlags(root: string): string[] {
  const flag = ['--permission', '--experimental-permission'].find((name) =>
    process.allowedNodeEnvironmentFlags.has(name),
  )
  return flag ? [flag, `--allow-fs-read=${root}/`] : []
}
