import { build, type Plugin, type PluginOption } from 'vite'
import { bundleByHand } from './by-hand.ts'
import { answerParent, cpuMicroseconds, readInput } from './parent.ts'

export interface WholeInput {
  root: string
  /** The plugin, rolldown once per entry as a person would write it, or nothing but the app. */
  workers: 'flash' | 'by hand' | 'none'
  /** Folders with a program written by hand. */
  entries?: string[]
  minify?: boolean
}

/** From the start of the process to the end of its build; CPU time is that of all its threads. */
export interface WholeResult extends Spent {
  /** What of it made the worker bundles. */
  workers: Spent
}

export interface Spent {
  /** On the clock. */
  ms: number
  cpuMs: number
}

const { root, workers, entries = [], minify } = readInput<WholeInput>()
const ofWorkers: Spent = { ms: 0, cpuMs: 0 }
await build({ root, configFile: false, logLevel: 'error', plugins: await createPlugins() })
answerParent({ ...now(), workers: ofWorkers } satisfies WholeResult)

async function createPlugins(): Promise<PluginOption[]> {
  if (workers === 'none') return []
  if (workers === 'by hand')
    return [{ name: 'bench:workers', writeBundle: timed(() => bundleByHand(root, entries)) }]
  const { flash } = await import('unplugin-flash/vite')
  const plugins = [flash({ worker: { minify } })].flat() as Plugin[]
  const maker = plugins.find(({ name }) => name === 'flash:build')!
  maker.writeBundle = timed(maker.writeBundle as () => Promise<void>)
  return plugins
}

/** Notes what a hook takes; nothing else runs meanwhile. */
function timed<A extends unknown[]>(hook: (...args: A) => Promise<void>) {
  return async function (this: unknown, ...args: A) {
    const before = now()
    await hook.apply(this, args)
    const after = now()
    ofWorkers.ms += after.ms - before.ms
    ofWorkers.cpuMs += after.cpuMs - before.cpuMs
  }
}

function now(): Spent {
  return { ms: performance.now(), cpuMs: cpuMicroseconds() / 1000 }
}
