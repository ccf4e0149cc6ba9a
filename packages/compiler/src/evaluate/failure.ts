import { SourceMap, type SourceMapPayload } from 'node:module'
import { resolve } from 'node:path'
import { AppError, type ErrorCode, type SourcePosition } from '@flash/protocol'
import type { Place } from '../fold/values.ts'
import { frameAt } from '../frame-at.ts'
import { refuse } from '../refuse.ts'
import type { CompilerHost } from '../types.ts'
import type { Bundle } from './bundle.ts'
import { linesBefore, type Outcome } from './run.ts'

export interface FailureContext {
  root: string
  host: CompilerHost
  /** What has to be executed: where the error is when nobody can tell more. */
  place: Place
  bundle: Bundle
}

type Failed = Exclude<Outcome, { kind: 'values' }>

/** Why running a config gave no values, at the line of the user's source that did it. */
export async function toFailure(outcome: Failed, context: FailureContext): Promise<AppError> {
  switch (outcome.kind) {
    case 'threw': {
      const { name, message, stack } = outcome
      const hint = 'correct the code that the config runs, or write the value out'
      return at(context, stack, `evaluating the config threw ${name}: ${message}`, hint)
    }
    case 'exited': {
      const hint = 'a config may only compute values; move the exit into the program'
      return at(context, outcome.stack, 'evaluating the config ended its process', hint)
    }
    case 'timeout': {
      const message = `evaluating the config did not come to an end within ${outcome.limitMs / 1000} s`
      return at(context, '', message, 'look for an endless loop or a slow call in what this runs')
    }
    case 'ended': {
      // What Node prints has the sentence first, and a stack and its version behind.
      const said =
        /^\w*Error\b.*$/m.exec(outcome.output)?.[0] ?? outcome.output.split('\n').slice(-3).join('\n')
      const isWaiting = outcome.exitCode === 13
      const message = isWaiting
        ? 'evaluating the config waits for a promise that nothing settles'
        : `evaluating the config ended its process with code ${outcome.exitCode}${said && `:\n${said}`}`
      return at(context, '', message, 'write the value out, or compute it without such code')
    }
  }
}

async function at(context: FailureContext, stack: string, message: string, hint: string): Promise<AppError> {
  const code: ErrorCode = 'CONFIG_FAILED'
  const found = await findPosition(stack, context)
  return found ? new AppError(code, { message, hint, ...found }) : atPlace(context, { code, message, hint })
}

/** An error at the expression that has to be executed. */
export function atPlace(
  { host, place }: Pick<FailureContext, 'host' | 'place'>,
  refusal: { code: ErrorCode; message: string; hint: string },
): AppError {
  const { module, node } = place
  return refuse({ parsed: module, shown: host.locate(module.file).rootPath }, node, refusal)
}

/** The first line of a stack that is in the project's own source. */
async function findPosition(
  stack: string,
  { root, host, bundle }: FailureContext,
): Promise<{ at: SourcePosition; frame: string } | null> {
  const map = new SourceMap(bundle.map as unknown as SourceMapPayload)
  for (const match of stack.matchAll(/\[eval1\]:(\d+):(\d+)/g)) {
    const entry = map.findEntry(Number(match[1]) - 1 - linesBefore, Number(match[2]) - 1)
    if (!('originalSource' in entry)) continue
    // Sources are named from the folder that a bundle is written to.
    const file = resolve(root, 'dist', entry.originalSource)
    const code = /[\\/]node_modules[\\/]/.test(file) ? null : await host.load(file)
    if (code === null) continue
    const line = entry.originalLine + 1
    const column = entry.originalColumn + 1
    return { at: { file: host.locate(file).rootPath, line, column }, frame: frameAt(code, line, column) }
  }
  return null
}
