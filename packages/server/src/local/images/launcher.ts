import type { Exit } from '@flash/emulator'
import type { Launcher, WorkerOrder } from '@flash/emulator/runpod'

/** What becomes of one container. */
export interface ContainerWatch {
  line(line: { source: 'container' | 'system'; text: string }): void
  /** It runs; until then its image may have been on its way. */
  started(): void
  /** It has ended, or never ran. */
  exited(exit: Exit): void
}

/** A launcher that tells what becomes of its containers, before the emulator hears of it. */
export function watchLauncher(launcher: Launcher, watch: (order: WorkerOrder) => ContainerWatch): Launcher {
  return {
    ...launcher,
    start(order) {
      const worker = launcher.start(order)
      const told = watch(order)
      worker.onLine(told.line)
      void worker.exited.then(told.exited)
      worker.address.then(told.started, () => {})
      return worker
    },
  }
}
