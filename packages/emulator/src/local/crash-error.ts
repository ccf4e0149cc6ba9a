import { AppError } from '@flash/protocol'
import type { Exit } from './launch.ts'

/** What a call in flight fails with when its worker ends: how it ended and the last it said. */
export function crashError(endpoint: string, exit: Exit, lastOutput: string): AppError {
  const how = exit.signal
    ? `was ended by ${exit.signal}`
    : exit.code === null
      ? 'could not be started'
      : `exited with code ${exit.code}`
  const said = [exit.reason, lastOutput].filter(Boolean).join('\n').trim()
  return new AppError('WORKER_CRASHED', {
    message: `the worker of "${endpoint}" ${how} while this call ran${said ? `; its last output:\n${said}` : ''}`,
    hint: 'the next call starts a fresh worker',
    data: { exitCode: exit.code, signal: exit.signal, lastOutput },
  })
}
