import { AppError, type Clock, systemClock } from '@flash/protocol'
import type Docker from 'dockerode'

const PING_MS = 10_000

/**
 * The Docker engine of this machine, or the one that `DOCKER_HOST` names.
 *
 * - throws `NEEDS_DOCKER` when the library is not installed, or no engine answers.
 */
export async function connectEngine(clock: Clock = systemClock): Promise<Docker> {
  const Engine = await loadLibrary()
  const engine = new Engine()
  try {
    await within(PING_MS, engine.ping(), clock)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new AppError('NEEDS_DOCKER', {
      message: `no Docker engine answers at ${process.env.DOCKER_HOST ?? '/var/run/docker.sock'}: ${message}`,
      hint:
        code === 'EACCES'
          ? 'let this user talk to it (group docker), or use the launcher "process"'
          : 'start Docker, say in DOCKER_HOST where it is, or use the launcher "process"',
      cause,
    })
  }
  return engine
}

function within<T>(ms: number, answer: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${ms / 1_000} s`))
    const withdraw = clock.after(ms, late)
    answer.then(resolve, reject).finally(withdraw)
  })
}

async function loadLibrary(): Promise<typeof Docker> {
  try {
    return (await import('dockerode')).default
  } catch (cause) {
    throw new AppError('NEEDS_DOCKER', {
      message: 'workers in containers need the package dockerode, which is not installed',
      hint: 'run: npm install --save-dev dockerode',
      cause,
    })
  }
}
