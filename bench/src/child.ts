import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atEnd } from './cleanup.ts'

/** A program of ours in a process of its own, spoken to over its control channel. */
export interface Child<Ready> {
  ready: Ready
  /** CPU time of that process so far, all its threads, in microseconds. */
  cpu(): Promise<number>
  /** The next thing it says by itself. */
  said(): Promise<unknown>
  stop(): Promise<void>
}

/** Starts a program of `programs/` and waits until it is ready. */
export async function startChild<Ready>(
  program: URL,
  input: unknown,
  env: Record<string, string> = {},
): Promise<Child<Ready>> {
  const child = fork(fileURLToPath(program), [JSON.stringify(input)], {
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const forget = atEnd(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(([code, signal]) => {
    forget()
    return `${program.pathname.split('/').at(-1)} ended with ${signal ?? `code ${code}`}`
  })
  const next = (kind: string) =>
    new Promise<{ data: unknown }>((resolve, reject) => {
      const listen = (message: unknown) => {
        const known = message as { kind: string; data: unknown }
        if (known.kind !== kind) return
        child.off('message', listen)
        resolve(known)
      }
      child.on('message', listen)
      void ended.then((how) => reject(new Error(how)))
    })
  const { data } = await next('ready')
  return {
    ready: data as Ready,
    async cpu() {
      const answer = next('cpu')
      child.send('cpu')
      return (await answer).data as number
    },
    said: async () => (await next('said')).data,
    async stop() {
      if (child.connected) child.send('stop')
      await ended
    },
  }
}

/** What would change how the programs behave is left out. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter(
    (name) => !/^(VITEST|NODE_ENV|NODE_OPTIONS|FLASH_)/.test(name),
  )
  return Object.fromEntries(names.map((name) => [name, process.env[name]]))
}
