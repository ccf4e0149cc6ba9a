import { createRedact } from '@flash/protocol'
import type { Env } from './environment.ts'

const levels = ['NOTSET', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const
type Level = Exclude<(typeof levels)[number], 'NOTSET'>

/** The worker's own log, and the output of jobs. */
export interface Log {
  info(message: string, jobId?: string): void
  warn(message: string, jobId?: string): void
  error(message: string, jobId?: string): void
  /** A line that a job writes, whatever the level. */
  output(stream: 'stdout' | 'stderr', line: string, jobId: string): void
}

export interface LogOptions {
  env: Env
  /** Lines are JSON then. */
  endpointId: string | undefined
  /** Values that must not be written. */
  secrets: string[]
  write(line: string): void
}

const longest = 4_096

/**
 * Lines as the platform's console reads them: `{"requestId":…,"message":…,"level":…}`, elsewhere `INFO    | <job> | text`.
 *
 * Source: runpod-python 1.12, serverless worker, logger.
 */
export function createLog({ env, endpointId, secrets, write }: LogOptions): Log {
  const least = readLevel(env)
  const redact = createRedact(secrets)
  const put = (level: Level, message: string, jobId: string | undefined) => {
    const text = cut(message)
    if (endpointId !== undefined)
      return write(`${JSON.stringify({ requestId: jobId ?? null, message: text, level })}\n`)
    write(`${[level.padEnd(7), ...(jobId === undefined ? [] : [jobId]), text].join(' | ')}\n`)
  }
  const say = (level: Level) => (message: string, jobId?: string) => {
    if (least > 0 && levels.indexOf(level) >= least) put(level, redact(message), jobId)
  }
  return {
    info: say('INFO'),
    warn: say('WARN'),
    error: say('ERROR'),
    output: (stream, line, jobId) =>
      put(stream === 'stdout' ? 'INFO' : 'ERROR', line.replace(/\r?\n$/, ''), jobId),
  }
}

/** An unknown one is as good as none. */
function readLevel(env: Env): number {
  const name = env.RUNPOD_LOG_LEVEL || env.RUNPOD_DEBUG_LEVEL || 'DEBUG'
  const level = levels.indexOf(name.trim().toUpperCase() as Level)
  return level === -1 ? levels.indexOf('DEBUG') : level
}

function cut(message: string): string {
  if (message.length <= longest) return message
  const half = longest / 2
  return `${message.slice(0, half)}\n… ${message.length - longest} characters left out …\n${message.slice(-half)}`
}
