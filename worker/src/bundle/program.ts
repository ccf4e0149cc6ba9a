import type { BundleInfo } from '@flash/protocol'
import type { Functions } from '../execute/definition.ts'
import { toLoadError } from '../local/load-error.ts'
import type { ServeOptions } from '../local/serve.ts'
import { createDeferred, type CreateLoader } from '../local/session.ts'
import { readMode } from './arguments.ts'
import { describeFailure } from './failure.ts'
import { openQueue, type QueueHost } from './queue.ts'
import { openRequests } from './requests.ts'
import { openRequest, openTest } from './test-input.ts'
import type { Program } from './types.ts'

export type StartBundle = (info: BundleInfo, functions: Functions[]) => void

export interface ProgramHost extends QueueHost {
  /** Folder that the author's files are below, as stacks name them. */
  root: string
  serve(descriptor: number, createLoader: CreateLoader, options: ServeOptions): void
}

const REBUILD = 'correct it, and build again'

/**
 * The program around the functions of a bundle. It is opened before the author's modules are evaluated, so that what they
 * throw is told to whoever calls, and does not end the process in silence.
 *
 * - returns what is called once they are there.
 */
export function openProgram(host: ProgramHost): StartBundle {
  const { process, root } = host
  const program = open(host)
  let loading = program !== null
  process.on('uncaughtException', (error) => {
    if (!loading) return program?.crash(error)
    loading = false
    program?.failToLoad(toLoadError(error, 'the bundle', root, REBUILD))
  })
  return (info, functions) => {
    // What was thrown beside the modules while they were loading has failed them already.
    if (!loading) return
    loading = false
    program?.start(info, Object.assign(Object.create(null), ...functions))
  }
}

/** Ends the process with code 2 when it is not clear what to do. */
function open(host: ProgramHost): Program | null {
  const { process } = host
  try {
    const mode = readMode({ args: process.argv.slice(2), env: process.env, folder: process.cwd() })
    switch (mode.kind) {
      case 'channel':
        return openChannel(mode.descriptor, host)
      case 'queue':
        return openQueue(host)
      case 'requests':
        return openRequests(host)
      case 'test':
        return openTest(mode, process)
      case 'request':
        return openRequest(mode, process)
    }
  } catch (error) {
    process.stderr.write(`flash: ${describeFailure(error)}\n`)
    process.exit(2)
    return null
  }
}

/** Answers every call of its host, also when there is nothing but an error to answer with. */
function openChannel(descriptor: number, { serve, crash }: ProgramHost): Program {
  const modules = createDeferred<{ __flash_functions: Functions }>()
  const loader = { load: () => modules.promise, invalidate() {} }
  const begin = () => serve(descriptor, async () => loader, { setupKey: () => 'built' })
  return {
    start(_info, functions) {
      modules.resolve({ __flash_functions: functions })
      begin()
    },
    failToLoad(error) {
      modules.reject(error)
      begin()
    },
    crash,
  }
}
